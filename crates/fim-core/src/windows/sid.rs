//! Security identifiers (MS-DTYP 2.4.2).

use std::fmt::{self, Write as _};

/// What Windows tells users, groups and services apart by, as text: `S-1-5-32-544`.
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Sid(Box<str>);

impl Sid {
    /// The identifier that the bytes begin with, and how many of them it takes.
    pub fn take(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[revision, count, ref authority @ ..], rest) = bytes.split_first_chunk::<8>()?;
        let parts = rest.get(..usize::from(count) * 4)?;
        if revision != 1 || usize::from(count) > MOST_PARTS {
            return None;
        }
        let authority = authority.iter().fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
        // A number that does not fit 32 bits is written in hexadecimal, as the system does.
        let mut text = match u32::try_from(authority) {
            Ok(authority) => format!("S-1-{authority}"),
            Err(_) => format!("S-1-{authority:#014x}"),
        };
        for &part in parts.as_chunks::<4>().0 {
            // Writing to a string cannot fail.
            let _ = write!(text, "-{}", u32::from_le_bytes(part));
        }
        Some((Self(text.into()), 8 + parts.len()))
    }

    /// The identifier that the text spells, if it is one.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("S-1-")?.split('-');
        let authority = parts.next()?;
        let is_number = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
        let is_large = |part: &str| {
            let digits = part.strip_prefix("0x").filter(|digits| digits.len() == 12);
            let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
            number.is_some_and(|number| number > u32::MAX.into() && format!("{number:#014x}") == part)
        };
        let is_sid = (is_number(authority) || is_large(authority))
            && parts.clone().count() <= MOST_PARTS
            && parts.all(is_number);
        is_sid.then(|| Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of one that means the same on every machine; the English one, in whatever language the machine is.
    pub fn name(&self) -> Option<&'static str> {
        self.well_known().map(|(_, _, name)| *name)
    }

    /// The two letters that stand for it in the security descriptor definition language.
    pub(super) fn letters(&self) -> Option<&'static str> {
        self.well_known().map(|(_, letters, _)| *letters).filter(|letters| !letters.is_empty())
    }

    /// The name of the one that two letters of the definition language stand for.
    pub(super) fn name_of_letters(letters: &str) -> Option<&'static str> {
        WELL_KNOWN.iter().find(|(_, known, _)| *known == letters).map(|(_, _, name)| *name)
    }

    fn well_known(&self) -> Option<&'static (&'static str, &'static str, &'static str)> {
        WELL_KNOWN.iter().find(|(sid, _, _)| *sid == self.as_str())
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

/// What the structure has room for (`SID_MAX_SUB_AUTHORITIES`).
const MOST_PARTS: usize = 15;

/// Identifier, letters of the definition language (MS-DTYP 2.5.1.1) and name (MS-DTYP 2.4.2.4). Those that belong to a
/// machine or a domain are not among them: their letters mean another one elsewhere.
const WELL_KNOWN: [(&str, &str, &str); 43] = [
    ("S-1-1-0", "WD", "Everyone"),
    ("S-1-2-0", "", "LOCAL"),
    ("S-1-2-1", "", "CONSOLE LOGON"),
    ("S-1-3-0", "CO", "CREATOR OWNER"),
    ("S-1-3-1", "CG", "CREATOR GROUP"),
    ("S-1-3-4", "OW", "OWNER RIGHTS"),
    ("S-1-5-2", "NU", r"NT AUTHORITY\NETWORK"),
    ("S-1-5-3", "", r"NT AUTHORITY\BATCH"),
    ("S-1-5-4", "IU", r"NT AUTHORITY\INTERACTIVE"),
    ("S-1-5-6", "SU", r"NT AUTHORITY\SERVICE"),
    ("S-1-5-7", "AN", r"NT AUTHORITY\ANONYMOUS LOGON"),
    ("S-1-5-9", "ED", r"NT AUTHORITY\ENTERPRISE DOMAIN CONTROLLERS"),
    ("S-1-5-10", "PS", r"NT AUTHORITY\SELF"),
    ("S-1-5-11", "AU", r"NT AUTHORITY\Authenticated Users"),
    ("S-1-5-12", "RC", r"NT AUTHORITY\RESTRICTED"),
    ("S-1-5-18", "SY", r"NT AUTHORITY\SYSTEM"),
    ("S-1-5-19", "LS", r"NT AUTHORITY\LOCAL SERVICE"),
    ("S-1-5-20", "NS", r"NT AUTHORITY\NETWORK SERVICE"),
    ("S-1-5-33", "WR", r"NT AUTHORITY\WRITE RESTRICTED"),
    ("S-1-5-32-544", "BA", r"BUILTIN\Administrators"),
    ("S-1-5-32-545", "BU", r"BUILTIN\Users"),
    ("S-1-5-32-546", "BG", r"BUILTIN\Guests"),
    ("S-1-5-32-547", "PU", r"BUILTIN\Power Users"),
    ("S-1-5-32-548", "AO", r"BUILTIN\Account Operators"),
    ("S-1-5-32-549", "SO", r"BUILTIN\Server Operators"),
    ("S-1-5-32-550", "PO", r"BUILTIN\Print Operators"),
    ("S-1-5-32-551", "BO", r"BUILTIN\Backup Operators"),
    ("S-1-5-32-552", "RE", r"BUILTIN\Replicator"),
    ("S-1-5-32-554", "RU", r"BUILTIN\Pre-Windows 2000 Compatible Access"),
    ("S-1-5-32-555", "RD", r"BUILTIN\Remote Desktop Users"),
    ("S-1-5-32-556", "NO", r"BUILTIN\Network Configuration Operators"),
    ("S-1-5-32-558", "MU", r"BUILTIN\Performance Monitor Users"),
    ("S-1-5-32-559", "LU", r"BUILTIN\Performance Log Users"),
    ("S-1-5-32-568", "IS", r"BUILTIN\IIS_IUSRS"),
    ("S-1-5-32-573", "ER", r"BUILTIN\Event Log Readers"),
    ("S-1-5-32-578", "HA", r"BUILTIN\Hyper-V Administrators"),
    ("S-1-5-32-580", "RM", r"BUILTIN\Remote Management Users"),
    ("S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "", r"NT SERVICE\TrustedInstaller"),
    ("S-1-5-83-0", "", r"NT VIRTUAL MACHINE\Virtual Machines"),
    ("S-1-15-2-1", "AC", r"APPLICATION PACKAGE AUTHORITY\ALL APPLICATION PACKAGES"),
    ("S-1-15-2-2", "", r"APPLICATION PACKAGE AUTHORITY\ALL RESTRICTED APPLICATION PACKAGES"),
    ("S-1-16-12288", "HI", r"Mandatory Label\High Mandatory Level"),
    ("S-1-16-16384", "SI", r"Mandatory Label\System Mandatory Level"),
];

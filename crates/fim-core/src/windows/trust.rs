//! Whether a thing is of those alone who are trusted: the system, its administrators, what keeps its programs up to date,
//! and whoever relies on the thing.

use std::fmt;

use super::descriptor::mask_of;
use super::{SecurityDescriptor, Sid};

/// What a thing is to who relies on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reliance {
    /// The folder itself, which nobody else may open.
    Own,
    /// What is in that folder, which nobody else may change.
    Content,
    /// A folder above it: nobody else may put another in the place of it or of what is in it.
    Above,
    /// The top folder of a drive, which has its place for ever: nobody else may take away what others have in it.
    Drive,
}

/// Why a thing is not trusted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Distrust {
    /// It belongs to somebody else, who may always let himself in.
    Owner {
        /// Who it is; nothing if that cannot be told.
        owner: Option<Sid>,
    },
    /// There is no list of who may do what with it.
    NoList,
    /// Somebody else may do what would have to be left to those who are trusted.
    Rights {
        /// Who it is, by letters or as an identifier.
        who: String,
        /// What the thing is.
        reliance: Reliance,
    },
    /// An entry of its list may say anything.
    Unknown {
        /// The entry.
        entry: String,
    },
}

impl SecurityDescriptor {
    /// Why a thing with this descriptor is not to be relied on by `own`; nothing if it is. What an entry forbids is not
    /// counted, nor is what somebody could do with it if others let him.
    pub fn distrust(&self, reliance: Reliance, own: &Sid) -> Option<Distrust> {
        let is_trusted = |who: &str| TRUSTED.contains(&who) || who == own.as_str();
        let is_owned = self
            .owner
            .as_ref()
            .is_some_and(|owner| owner == own || is_trusted(owner.letters().unwrap_or(owner.as_str())));
        if !is_owned {
            return Some(Distrust::Owner { owner: self.owner.clone() });
        }
        if !self.dacl.starts_with("D:") || self.dacl.contains("NO_ACCESS_CONTROL") {
            return Some(Distrust::NoList);
        }
        let mut entries = self.dacl.split('(').skip(1).map(|entry| entry.trim_end_matches(')'));
        entries.find_map(|entry| match harm(entry, reliance) {
            Harm::None => None,
            Harm::By(who) if is_trusted(who) => None,
            Harm::By(who) => Some(Distrust::Rights { who: who.to_owned(), reliance }),
            Harm::Unknown => Some(Distrust::Unknown { entry: entry.to_owned() }),
        })
    }
}

/// What an entry of a list lets happen that is to be left to those who are trusted.
enum Harm<'e> {
    None,
    By(&'e str),
    Unknown,
}

fn harm(entry: &str, reliance: Reliance) -> Harm<'_> {
    let fields: Vec<&str> = entry.split(';').collect();
    match fields[..] {
        ["D" | "OD" | "XD", ..] => Harm::None,
        // Conditions and kinds of objects only make it less.
        ["A" | "OA" | "XA" | "ZA", flags, rights, _, _, who, ..] => {
            // What only comes into being below a folder above is looked at by itself.
            let is_for_others = flags.as_bytes().chunks(2).any(|flag| flag == b"IO");
            match mask_of(rights) {
                None => Harm::Unknown,
                Some(_) if is_for_others && reliance != Reliance::Own => Harm::None,
                Some(mask) if mask & reliance.left_to_the_trusted() == 0 => Harm::None,
                Some(_) => Harm::By(who),
            }
        }
        _ => Harm::Unknown,
    }
}

impl Reliance {
    /// The rights that nobody else may have.
    fn left_to_the_trusted(self) -> u32 {
        match self {
            Self::Own => u32::MAX,
            Self::Content => !READ_OR_RUN,
            Self::Above => DELETE | PUT_ANOTHER,
            Self::Drive => PUT_ANOTHER,
        }
    }
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Owner { owner: Some(owner) } => {
                write!(f, "it belongs to {}, who is no administrator", owner.name().unwrap_or(owner.as_str()))
            }
            Self::Owner { owner: None } => f.write_str("it cannot be told to whom it belongs"),
            Self::NoList => f.write_str("everybody may do everything with it"),
            Self::Rights { who, reliance } => {
                let may = match reliance {
                    Reliance::Own => "open it",
                    Reliance::Content => "change it",
                    Reliance::Above | Reliance::Drive => "put another in the place of what is in it",
                };
                write!(f, "{} may {may}", Sid::name_of_letters(who).unwrap_or(who))
            }
            Self::Unknown { entry } => write!(f, "its list of rights has an unknown entry, {entry}"),
        }
    }
}

impl std::error::Error for Distrust {}

/// The system, its administrators, the installer of its updates; and who stands for the owner, who is looked at, or for
/// whoever makes something below.
const TRUSTED: [&str; 5] =
    ["SY", "BA", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", "OW", "CO"];

const DELETE: u32 = 0x0001_0000;
/// Taking away what others have in the folder, changing its list, becoming its owner, and all of that by one bit, or by
/// the one that asks for as much as there is.
const PUT_ANOTHER: u32 = 0x0000_0040 | 0x0004_0000 | 0x0008_0000 | 0x1000_0000 | 0x0200_0000;
/// Reading and running by their own bits, and by the two that stand for these.
const READ_OR_RUN: u32 = 0x0012_00a9 | 0x8000_0000 | 0x2000_0000;

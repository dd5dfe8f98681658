//! Whether what lies on a machine with Windows is of those alone who are trusted.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use fim_core::windows::{Distrust, Reliance, SecurityDescriptor, Sid};

/// Why a thing of that owner with that list is not relied on by an administrator of that machine.
fn distrust(owner: &str, dacl: &str, reliance: Reliance) -> Option<Distrust> {
    let owner = Some(Sid::parse(owner).unwrap());
    let descriptor = SecurityDescriptor { owner, group: None, dacl: dacl.replace("BOB", BOB) };
    descriptor.distrust(reliance, &Sid::parse(ALICE).unwrap())
}

fn is_trusted(owner: &str, dacl: &str, reliance: Reliance) -> bool {
    distrust(owner, dacl, reliance).is_none()
}

#[test]
fn where_only_administrators_may_make_folders_nobody_else_puts_another_in_their_place() {
    assert!(is_trusted(INSTALLER, DRIVE, Reliance::Drive));
    assert!(is_trusted(INSTALLER, PROGRAM_FILES, Reliance::Above));
    assert!(is_trusted(SYSTEM, "D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)", Reliance::Above));
    assert!(is_trusted(ADMINISTRATORS, ONLY_ADMINISTRATORS, Reliance::Own));
    // Users may make folders of their own there, and take away none of others.
    assert!(is_trusted(SYSTEM, PROGRAM_DATA, Reliance::Above));
    // On another drive they may do anything but take away what others have made on its top.
    assert!(is_trusted(SYSTEM, OTHER_DRIVE, Reliance::Drive));
    assert!(!is_trusted(SYSTEM, OTHER_DRIVE, Reliance::Above), "another folder of that kind can be renamed");
}

#[test]
fn a_folder_that_a_user_made_beforehand_is_not_trusted_whatever_its_list_says() {
    let told = |owner, dacl, reliance| distrust(owner, dacl, reliance).unwrap().to_string();
    for dacl in [MADE_BY_BOB, ONLY_ADMINISTRATORS, "D:P"] {
        for reliance in [Reliance::Own, Reliance::Content, Reliance::Above, Reliance::Drive] {
            let why = told(BOB, dacl, reliance);
            assert!(why.contains(&format!("belongs to {BOB}")), "{why}");
        }
    }
    assert_eq!(told(ADMINISTRATORS, MADE_BY_BOB, Reliance::Own), format!("{BOB} may open it"));
    assert_eq!(told(SYSTEM, PROGRAM_DATA, Reliance::Own), r"BUILTIN\Users may open it");
    let nobody = SecurityDescriptor { owner: None, group: None, dacl: ONLY_ADMINISTRATORS.to_owned() };
    let why = nobody.distrust(Reliance::Own, &Sid::parse(ALICE).unwrap());
    assert_eq!(why, Some(Distrust::Owner { owner: None }));
}

#[test]
fn who_relies_on_a_folder_of_his_own_is_trusted_with_it() {
    let own = format!("D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;{ALICE})");
    assert!(is_trusted(ALICE, &own, Reliance::Own));
    assert!(!is_trusted(BOB, &own, Reliance::Own));
}

#[test]
fn each_right_counts_where_it_does_harm() {
    let of_bob = |rights: &str, flags: &str| format!("D:P(A;OICI;FA;;;SY)(A;{flags};{rights};;;BOB)");
    let all = [Reliance::Own, Reliance::Content, Reliance::Above, Reliance::Drive];
    for (rights, flags, harms) in [
        ("0x0", "", &[][..]),
        ("FR", "", &[Reliance::Own]),
        ("FX", "", &[Reliance::Own]),
        ("GXGR", "OICI", &[Reliance::Own]),
        ("FW", "", &[Reliance::Own, Reliance::Content]),
        ("GW", "", &[Reliance::Own, Reliance::Content]),
        ("DC", "", &[Reliance::Own, Reliance::Content]),
        ("SD", "", &[Reliance::Own, Reliance::Content, Reliance::Above]),
        ("DT", "", &all),
        ("WD", "", &all),
        ("WO", "", &all),
        ("GA", "", &all),
        ("FA", "", &all),
        ("0x2000000", "", &all),
        // Only for what is made in it: what there is has a list of its own.
        ("FA", "OICIIO", &[Reliance::Own]),
    ] {
        for reliance in all {
            let is_harm = !is_trusted(SYSTEM, &of_bob(rights, flags), reliance);
            assert_eq!(is_harm, harms.contains(&reliance), "{rights} {flags} {reliance:?}");
        }
    }
}

#[test]
fn what_is_not_understood_may_let_anybody_in() {
    for list in ["", "D:NO_ACCESS_CONTROL", "D:PNO_ACCESS_CONTROL"] {
        assert_eq!(distrust(SYSTEM, list, Reliance::Drive), Some(Distrust::NoList), "{list}");
    }
    for entry in ["0x77;;0x00", "A;;ZZ;;;SY", "A;;FA", ""] {
        let told = distrust(SYSTEM, &format!("D:P(A;;FA;;;SY)({entry})"), Reliance::Drive);
        assert_eq!(told, Some(Distrust::Unknown { entry: entry.to_owned() }));
    }
    // Who must not is kept out, under a condition or not; who may under a condition may.
    assert!(is_trusted(
        SYSTEM,
        "D:(D;;FA;;;BOB)(OD;;CR;;;BOB)(XD;;FA;;;BOB;0x61)(A;;FA;;;BA)",
        Reliance::Own
    ));
    for allowed in ["XA;;FA;;;BOB;0x6172", "OA;;FA;;;BOB", "ZA;;FA;;;BOB"] {
        assert!(!is_trusted(SYSTEM, &format!("D:({allowed})"), Reliance::Drive), "{allowed}");
    }
}

const SYSTEM: &str = "S-1-5-18";
const ADMINISTRATORS: &str = "S-1-5-32-544";
const INSTALLER: &str = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
const ALICE: &str = "S-1-5-21-1-2-3-1000";
const BOB: &str = "S-1-5-21-1-2-3-1001";

/// The lists of a system as it is installed: of `C:\`, of its folders for programs and for what they keep, and of another
/// drive.
const DRIVE: &str = "D:PAI(A;;LC;;;AU)(A;OICIIO;SDGXGWGR;;;AU)(A;;FA;;;SY)(A;OICIIO;GA;;;SY)(A;OICIIO;GA;;;BA)\
    (A;;FA;;;BA)(A;OICI;0x1200a9;;;BU)";
const PROGRAM_FILES: &str = "D:PAI(A;OICIIO;GA;;;CO)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;BA)\
    (A;;0x1301bf;;;BA)(A;OICIIO;GXGR;;;BU)(A;;0x1200a9;;;BU)\
    (A;CIIO;GA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)\
    (A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)\
    (A;;0x1200a9;;;AC)(A;OICIIO;GXGR;;;AC)(A;;0x1200a9;;;S-1-15-2-2)(A;OICIIO;GXGR;;;S-1-15-2-2)";
const PROGRAM_DATA: &str = "D:PAI(A;OICIIO;GA;;;CO)(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)\
    (A;CI;DCLCRPCR;;;BU)";
const OTHER_DRIVE: &str = "D:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;;0x1301bf;;;AU)(A;OICIIO;SDGXGWGR;;;AU)\
    (A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)";
/// What a user has who makes a folder in the one for what programs keep.
const MADE_BY_BOB: &str = "D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;ID;FA;;;BOB)(A;OICIIOID;GA;;;CO)\
    (A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)";
const ONLY_ADMINISTRATORS: &str = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

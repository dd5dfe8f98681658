//! Folders that nobody may look into but the system and its administrators.
#![expect(unsafe_code, reason = "who may do what with a folder is said by calls of the system")]

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use fim_core::EntityPath;
use fim_core::windows::{Reliance, SecurityDescriptor, Sid, is_link_tag, native_path, to_wide};
use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
};
use windows_sys::Win32::Security::{
    GetLengthSid, GetTokenInformation, PSECURITY_DESCRIPTOR, SECURITY_ATTRIBUTES, TOKEN_QUERY, TOKEN_USER,
    TokenUser,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateDirectoryW, FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_TAG_INFO,
    FILE_STANDARD_INFO,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::nt::{self, Links, Wanted};
use crate::privacy::PrivacyError;

/// The command that lets nobody into a folder as [`keep_private`] makes it, with `{}` for the folder.
pub const KEEP_PRIVATE: &str =
    r#"icacls "{}" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F"#;

/// Makes the folder if it is missing, with nobody let in but the system and its administrators; one that is there is left
/// as it is, and refused if others could have put something into it.
///
/// # Errors
///
/// Fails as [`check_private`] does, and if the system refuses to make the folder.
pub fn keep_private(dir: &Path) -> Result<(), PrivacyError> {
    let dir = absolute(dir)?;
    let missing: Vec<&Path> = dir.ancestors().take_while(|folder| !is_there(folder)).collect();
    // Before anything is made, since nothing is to be made where others may do with it what they like.
    if let Some(there) = missing.last().and_then(|outermost| outermost.parent()) {
        let own = own_sid().map_err(|source| PrivacyError::Look { path: dir.clone(), source })?;
        check_above(there, &own)?;
    }
    for folder in missing.into_iter().rev() {
        let made = Descriptor::new(ONLY_ADMINISTRATORS).and_then(|descriptor| descriptor.create(folder));
        match made {
            Err(error) if error.raw_os_error() != Some(ERROR_ALREADY_EXISTS.cast_signed()) => {
                return Err(PrivacyError::Make { path: folder.to_owned(), source: error });
            }
            // If somebody else was faster, it is his, and refused below.
            Ok(()) | Err(_) => {}
        }
    }
    check_private(&dir)
}

/// Refuses a folder that others than the system, its administrators and whoever runs this program may look into, or could
/// have put something into: the folder, those above it, and what is in it must belong to one of them, must not be links,
/// and nobody else may have rights that would let him.
///
/// # Errors
///
/// Says what is not to be relied on, and why.
pub fn check_private(dir: &Path) -> Result<(), PrivacyError> {
    let dir = absolute(dir)?;
    let look = |source| PrivacyError::Look { path: dir.clone(), source };
    let own = own_sid().map_err(look)?;
    // From the outermost on: what is said of the next is true as long as nobody can put another in its place.
    if let Some(above) = dir.parent() {
        check_above(above, &own)?;
    }
    check(&dir, Reliance::Own, &own)?;
    for entry in std::fs::read_dir(&dir).map_err(look)? {
        check(&entry.map_err(look)?.path(), Reliance::Content, &own)?;
    }
    Ok(())
}

/// True if nobody may look into the folder but the system, its administrators and whoever runs this program, and it is
/// theirs.
///
/// # Errors
///
/// Fails if the system does not tell.
pub fn is_private(dir: &Path) -> io::Result<bool> {
    let security = security(&open(&std::path::absolute(dir)?, Links::Followed)?)?;
    Ok(security.distrust(Reliance::Own, &own_sid()?).is_none())
}

fn absolute(dir: &Path) -> Result<PathBuf, PrivacyError> {
    std::path::absolute(dir).map_err(|source| PrivacyError::Look { path: dir.to_owned(), source })
}

/// True unless it is known that there is nothing. A link that leads nowhere is something.
fn is_there(folder: &Path) -> bool {
    !std::fs::symlink_metadata(folder).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Refuses a folder, and those above it, in which others may put something in the place of what is there.
fn check_above(folder: &Path, own: &Sid) -> Result<(), PrivacyError> {
    let mut folders: Vec<&Path> = folder.ancestors().collect();
    folders.reverse();
    for folder in folders {
        let reliance = if folder.parent().is_none() { Reliance::Drive } else { Reliance::Above };
        check(folder, reliance, own)?;
    }
    Ok(())
}

fn check(path: &Path, reliance: Reliance, own: &Sid) -> Result<(), PrivacyError> {
    let path = || path.to_owned();
    let look = |source| PrivacyError::Look { path: path(), source };
    let opened = open(&path(), Links::Opened).map_err(look)?;
    let kind: FILE_ATTRIBUTE_TAG_INFO = nt::info(&opened).map_err(look)?;
    let is_link = kind.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT != 0 && is_link_tag(kind.ReparseTag);
    // Where a drive is mounted is the system's to say.
    if is_link && reliance != Reliance::Drive {
        return Err(PrivacyError::Link { path: path() });
    }
    if let Some(why) = security(&opened).map_err(look)?.distrust(reliance, own) {
        return Err(PrivacyError::Distrusted { path: path(), why });
    }
    let links = nt::info::<FILE_STANDARD_INFO>(&opened).map_err(look)?.NumberOfLinks;
    let is_folder = kind.FileAttributes & FILE_ATTRIBUTE_DIRECTORY != 0;
    if !is_folder && links > 1 { Err(PrivacyError::OtherNames { path: path(), links }) } else { Ok(()) }
}

fn open(path: &Path, links: Links) -> io::Result<OwnedHandle> {
    let path = EntityPath::windows(path.as_os_str().as_encoded_bytes());
    let native = native_path(&path).and_then(|path| to_wide(&path));
    let native = native.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    nt::open(None, &native, Wanted::Description, links).map_err(|status| status.error())
}

fn security(opened: &OwnedHandle) -> io::Result<SecurityDescriptor> {
    let bytes = nt::security(opened).ok_or_else(io::Error::last_os_error)?;
    SecurityDescriptor::parse(&bytes).map_err(io::Error::other)
}

/// Who runs this program.
fn own_sid() -> io::Result<Sid> {
    let mut token: HANDLE = null_mut();
    // SAFETY: the call writes a handle; the process's own needs no closing.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call succeeded, so the handle is open, and nobody else has it.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let mut buffer = [0_u64; MOST_USER_WORDS];
    let mut needed = 0;
    // SAFETY: the call writes at most as many bytes as the buffer has, which is aligned for what they hold.
    let done = unsafe {
        GetTokenInformation(
            token.as_raw_handle(),
            TokenUser,
            buffer.as_mut_ptr().cast(),
            size_of_val(&buffer) as u32,
            &raw mut needed,
        )
    };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the system has written the structure, which points to an identifier in the same buffer, and says how long
    // that is; the buffer lives until the bytes are copied.
    let bytes = unsafe {
        let user: TOKEN_USER = buffer.as_ptr().cast::<TOKEN_USER>().read();
        let length = GetLengthSid(user.User.Sid) as usize;
        std::slice::from_raw_parts(user.User.Sid.cast::<u8>(), length).to_vec()
    };
    let sid = Sid::take(&bytes).map(|(sid, _)| sid);
    sid.ok_or_else(|| io::Error::other("the system names nobody who runs this program"))
}

/// A security descriptor as the system's calls take it.
struct Descriptor(PSECURITY_DESCRIPTOR);

impl Descriptor {
    /// The descriptor of a text in the security descriptor definition language.
    fn new(text: &str) -> io::Result<Self> {
        let text: Vec<u16> = text.encode_utf16().chain([0]).collect();
        let mut made = null_mut();
        // SAFETY: the text ends in 0, and the call writes a pointer to memory that it gives us.
        let done = unsafe {
            ConvertStringSecurityDescriptorToSecurityDescriptorW(
                text.as_ptr(),
                SDDL_REVISION_1,
                &raw mut made,
                null_mut(),
            )
        };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(Self(made)) }
    }

    /// Makes a folder with this descriptor from the first moment on.
    fn create(&self, folder: &Path) -> io::Result<()> {
        let folder = wide(folder);
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: self.0,
            bInheritHandle: 0,
        };
        // SAFETY: the path ends in 0, and the structure points to a descriptor that lives as long as this value.
        let done = unsafe { CreateDirectoryW(folder.as_ptr(), &raw const attributes) };
        if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        // SAFETY: the system gave the memory to be freed so, nobody else has it, and it is freed once.
        unsafe { LocalFree(self.0) };
    }
}

fn wide(path: &Path) -> Vec<u16> {
    path.as_os_str().encode_wide().chain([0]).collect()
}

/// Nothing from above, and everything for the system and its administrators, also in what is made in it.
const ONLY_ADMINISTRATORS: &str = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)";

/// The structure, and the longest identifier behind it.
const MOST_USER_WORDS: usize = 16;

#[cfg(test)]
mod tests {
    use windows_sys::Win32::Security::GetSecurityDescriptorLength;

    use super::*;

    #[test]
    fn the_descriptor_is_only_for_the_system_and_administrators() {
        let descriptor = Descriptor::new(ONLY_ADMINISTRATORS).unwrap();
        // SAFETY: the system has made the descriptor, and tells how long it is; it is in one piece.
        let bytes = unsafe {
            let length = GetSecurityDescriptorLength(descriptor.0) as usize;
            std::slice::from_raw_parts(descriptor.0.cast::<u8>(), length).to_vec()
        };
        let read = SecurityDescriptor::parse(&bytes).unwrap();
        assert_eq!(read.dacl, "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)");
        assert_eq!(read.owner.as_ref().map(|owner| owner.to_string()).as_deref(), Some("S-1-5-32-544"));
        assert_eq!(read.distrust(Reliance::Own, &own_sid().unwrap()), None);
    }

    /// A folder on the system's own drive, where only administrators may take others' folders away; gone with the value.
    struct Home(PathBuf);

    impl Home {
        fn new() -> Self {
            let name = format!("steadfast-{}-{:?}", std::process::id(), std::thread::current().id());
            let home = Self(Path::new(r"C:\").join(name.replace(['(', ')'], "")));
            std::fs::create_dir(&home.0).unwrap();
            home
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_folder_is_made_for_those_alone_who_run_the_agent_and_is_theirs_the_next_time() {
        let home = Home::new();
        let dir = home.0.join("new").join("data");
        assert!(matches!(check_private(&dir), Err(PrivacyError::Look { .. })), "there is none");
        for _ in 0..2 {
            keep_private(&dir).unwrap();
            std::fs::write(dir.join("identity.json"), "{}").unwrap();
            assert_eq!(std::fs::read_to_string(dir.join("identity.json")).unwrap(), "{}");
            assert!(is_private(&dir).unwrap() && is_private(dir.parent().unwrap()).unwrap());
        }
    }

    #[test]
    fn a_folder_that_others_may_look_into_is_refused_and_left_as_it_is() {
        let home = Home::new();
        let dir = home.0.join("data");
        // What is made without a word is for everybody to read.
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("identity.json"), "{}").unwrap();
        for refused in [keep_private(&dir), check_private(&dir)] {
            let why = refused.unwrap_err().to_string();
            assert!(why.contains(r"\data cannot be relied on: Everyone may open it; move it away"), "{why}");
        }
        assert!(!is_private(&dir).unwrap());
        assert_eq!(std::fs::read_to_string(dir.join("identity.json")).unwrap(), "{}");
    }

    #[test]
    fn nothing_is_made_where_others_may_put_another_folder_in_its_place() {
        // Everybody may take away what others have in this one, by the words of this system.
        let shared = tempfile::tempdir_in(r"Z:\tmp").unwrap();
        let dir = shared.path().join("new").join("data");
        let why = keep_private(&dir).unwrap_err().to_string();
        assert!(
            why.starts_with(r"Z:\tmp cannot be relied on: Everyone may put another in the place"),
            "{why}"
        );
        assert!(!shared.path().join("new").exists());
    }

    #[test]
    fn a_file_that_has_a_name_elsewhere_is_not_the_folders_own() {
        let home = Home::new();
        let dir = home.0.join("data");
        keep_private(&dir).unwrap();
        std::fs::write(home.0.join("elsewhere"), "x").unwrap();
        std::fs::hard_link(home.0.join("elsewhere"), dir.join("agent.log")).unwrap();
        let why = check_private(&dir).unwrap_err().to_string();
        assert!(why.contains(r"agent.log has other names (2 in all)"), "{why}");
        std::fs::remove_file(home.0.join("elsewhere")).unwrap();
        check_private(&dir).unwrap();
    }
}

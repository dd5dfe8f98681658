//! Folders that nobody may look into but the system and its administrators.
#![expect(unsafe_code, reason = "who may do what with a folder is said by calls of the system")]

use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;

use fim_core::EntityPath;
use fim_core::windows::{SecurityDescriptor, native_path, to_wide};
use windows_sys::Win32::Foundation::{ERROR_ALREADY_EXISTS, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1, SE_FILE_OBJECT,
    SetNamedSecurityInfoW,
};
use windows_sys::Win32::Security::{
    DACL_SECURITY_INFORMATION, GetSecurityDescriptorDacl, GetSecurityDescriptorOwner,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSECURITY_DESCRIPTOR,
    SECURITY_ATTRIBUTES,
};
use windows_sys::Win32::Storage::FileSystem::CreateDirectoryW;

use super::nt::{self, Links, Wanted};

/// The command that does what [`keep_private`] does, with `{}` for the folder.
pub const KEEP_PRIVATE: &str =
    r#"icacls "{}" /inheritance:r /grant:r *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F"#;

/// Makes the folder if it is missing, and lets nobody in but the system and its administrators, whose it is then. Where
/// everybody may make folders, so are those above it that are ours: somebody may have made them before.
///
/// # Errors
///
/// Fails if the folder is a link, or the system refuses: whoever is no administrator may not do it.
pub fn keep_private(dir: &Path) -> io::Result<()> {
    let dir = std::path::absolute(dir)?;
    let descriptor = Descriptor::new(ONLY_ADMINISTRATORS)?;
    for folder in own_folders(&dir, std::env::var_os("ProgramData").as_deref().map(Path::new)) {
        match descriptor.create(&folder) {
            Err(error) if error.raw_os_error() == Some(ERROR_ALREADY_EXISTS.cast_signed()) => {
                if std::fs::symlink_metadata(&folder)?.is_symlink() {
                    let why = format!("{} is a link; name the folder that it leads to", folder.display());
                    return Err(io::Error::other(why));
                }
                descriptor.restrict(&folder)?;
            }
            made => made?,
        }
    }
    Ok(())
}

/// True if nobody may look into the folder but the system and its administrators, and it is theirs.
///
/// # Errors
///
/// Fails if the system does not tell.
pub fn is_private(dir: &Path) -> io::Result<bool> {
    let path = EntityPath::windows(std::path::absolute(dir)?.into_os_string().into_encoded_bytes());
    let native = native_path(&path).and_then(|path| to_wide(&path));
    let native = native.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidFilename))?;
    let opened =
        nt::open(None, &native, Wanted::Description, Links::Followed).map_err(|status| status.error())?;
    let bytes = nt::security(opened).ok_or_else(io::Error::last_os_error)?;
    let security = SecurityDescriptor::parse(&bytes).map_err(io::Error::other)?;
    Ok(security.is_only_for(&["SY", "BA"]))
}

/// The folders from the outermost on: the folder itself, those above it that are missing, and in `shared`, where
/// everybody may make some, all that are below that.
fn own_folders(dir: &Path, shared: Option<&Path>) -> Vec<PathBuf> {
    let is_shared = |folder: &Path| {
        shared.is_some_and(|shared| {
            let (mut ours, mut theirs) = (folder.components(), shared.components());
            let is_below = theirs.all(|their| {
                ours.next().is_some_and(|our| our.as_os_str().eq_ignore_ascii_case(their.as_os_str()))
            });
            is_below && ours.next().is_some()
        })
    };
    let above = dir.ancestors().skip(1).take_while(|folder| !folder.exists() || is_shared(folder));
    let mut folders: Vec<PathBuf> = std::iter::once(dir).chain(above).map(Path::to_owned).collect();
    folders.reverse();
    folders
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

    /// Gives the descriptor to a folder that is there, and what can be inherited of it to all that is in it.
    fn restrict(&self, folder: &Path) -> io::Result<()> {
        let folder = wide(folder);
        let (mut owner, mut list) = (null_mut(), null_mut());
        let (mut is_there, mut is_default) = (0, 0);
        // SAFETY: the descriptor lives as long as this value, and the call writes a pointer into it and a truth value.
        let has_owner = unsafe { GetSecurityDescriptorOwner(self.0, &raw mut owner, &raw mut is_default) };
        // SAFETY: as above, with two truth values.
        let has_list = unsafe {
            GetSecurityDescriptorDacl(self.0, &raw mut is_there, &raw mut list, &raw mut is_default)
        };
        if has_owner == 0 || has_list == 0 {
            return Err(io::Error::last_os_error());
        }
        let what =
            OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
        // SAFETY: the path ends in 0, and owner and list are in the descriptor, which lives as long as this value.
        let status = unsafe {
            SetNamedSecurityInfoW(folder.as_ptr(), SE_FILE_OBJECT, what, owner, null_mut(), list, null_mut())
        };
        if status == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(status.cast_signed())) }
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
        assert!(read.is_only_for(&["SY", "BA"]));
    }

    #[test]
    fn folders_that_are_missing_or_where_everybody_may_make_some_are_ours() {
        let home = tempfile::tempdir().unwrap();
        let shared = home.path().join("Shared");
        let dir = shared.join("Steadfast").join("Agent");
        std::fs::create_dir_all(shared.join("Steadfast")).unwrap();
        let below = |shared: &Path| own_folders(&dir, Some(shared));
        assert_eq!(below(&shared), [shared.join("Steadfast"), dir.clone()]);
        let other_case = PathBuf::from(shared.as_os_str().to_ascii_uppercase());
        assert_eq!(below(&other_case), [shared.join("Steadfast"), dir.clone()]);
        assert_eq!(below(&home.path().join("Other")), std::slice::from_ref(&dir));
        assert_eq!(
            own_folders(&shared.join("a").join("b"), None),
            [shared.join("a"), shared.join("a").join("b")]
        );
    }

    #[test]
    fn a_folder_is_made_or_taken_over_and_the_agent_can_work_in_it() {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("new").join("data");
        for _ in 0..2 {
            keep_private(&dir).unwrap();
            std::fs::write(dir.join("identity.json"), "{}").unwrap();
            assert_eq!(std::fs::read_to_string(dir.join("identity.json")).unwrap(), "{}");
        }
    }
}

//! The few calls of the system that files are opened and described with.
//!
//! Files are opened with the system's own call and relative to a directory, since the usual ones take whole paths, cut
//! names short, drop dots and spaces at their end, and follow links on the way.
#![expect(unsafe_code, reason = "the system is asked by calls that take and fill plain memory")]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle as _, BorrowedHandle, FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem as wdk;
use windows_sys::Wdk::System::SystemServices::{FILE_FS_DEVICE_INFORMATION, FILE_REMOTE_DEVICE};
use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_CALL_NOT_IMPLEMENTED, ERROR_HANDLE_EOF, ERROR_INVALID_FUNCTION,
    ERROR_INVALID_PARAMETER, ERROR_MORE_DATA, ERROR_NO_MORE_FILES, ERROR_NOT_SUPPORTED, HANDLE, NTSTATUS,
    OBJ_CASE_INSENSITIVE, RtlNtStatusToDosError, STATUS_OBJECT_NAME_INVALID, STATUS_OPLOCK_BREAK_IN_PROGRESS,
    STATUS_SHARING_VIOLATION, UNICODE_STRING, WIN32_ERROR,
};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION, GetKernelObjectSecurity,
    LUID_AND_ATTRIBUTES, LookupPrivilegeValueW, OWNER_SECURITY_INFORMATION, SE_BACKUP_NAME,
    SE_PRIVILEGE_ENABLED, TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
};
use windows_sys::Win32::Storage::FileSystem as fs;
use windows_sys::Win32::System::IO::{DeviceIoControl, IO_STATUS_BLOCK};
use windows_sys::Win32::System::Ioctl::FSCTL_GET_REPARSE_POINT;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

/// What an opened file or directory can be used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wanted {
    /// Describing it, its security included.
    Description,
    /// Describing it without its security, where that is refused.
    BareDescription,
    /// Listing a directory.
    Listing,
    /// Reading a file.
    Content,
}

/// What is opened where the name stands for something else.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Links {
    /// What it leads to.
    Followed,
    /// The link itself; what is stored in another way than usual is not reached then.
    Opened,
}

/// Why the system did not do what it was asked: its status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Status(pub(super) NTSTATUS);

impl Status {
    /// The same as the usual calls tell it.
    pub(super) fn error(self) -> io::Error {
        // SAFETY: it takes a number and gives another, and touches no memory of ours.
        let code = unsafe { RtlNtStatusToDosError(self.0) };
        io::Error::from_raw_os_error(code.cast_signed())
    }
}

/// Opens what there is by a name in a directory, or by a path in the system's own spelling without a directory. With an
/// empty name it opens anew what the handle holds. Waits for nobody, and fetches nothing from where it was moved to.
pub(super) fn open(
    directory: Option<BorrowedHandle<'_>>,
    name: &[u16],
    wanted: Wanted,
    links: Links,
) -> Result<OwnedHandle, Status> {
    let length =
        u16::try_from(name.len().saturating_mul(2)).map_err(|_| Status(STATUS_OBJECT_NAME_INVALID))?;
    let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: name.as_ptr().cast_mut() };
    let attributes = OBJECT_ATTRIBUTES {
        Length: size_of::<OBJECT_ATTRIBUTES>() as u32,
        RootDirectory: directory.map_or(null_mut(), |directory| directory.as_raw_handle()),
        ObjectName: &raw const name,
        // Directories in which case matters are told so by the file system itself.
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: null(),
        SecurityQualityOfService: null(),
    };
    let (access, kind) = match wanted {
        Wanted::Description => (fs::FILE_READ_ATTRIBUTES | fs::READ_CONTROL, 0),
        Wanted::BareDescription => (fs::FILE_READ_ATTRIBUTES, 0),
        Wanted::Listing => {
            let access =
                fs::FILE_LIST_DIRECTORY | fs::FILE_TRAVERSE | fs::FILE_READ_ATTRIBUTES | fs::READ_CONTROL;
            (access, wdk::FILE_DIRECTORY_FILE)
        }
        Wanted::Content => {
            let access = fs::FILE_READ_DATA | fs::FILE_READ_ATTRIBUTES | fs::READ_CONTROL;
            (access, wdk::FILE_NON_DIRECTORY_FILE | wdk::FILE_SEQUENTIAL_ONLY)
        }
    };
    let link = match links {
        Links::Followed => 0,
        Links::Opened => wdk::FILE_OPEN_REPARSE_POINT,
    };
    let mut handle: HANDLE = null_mut();
    let mut result = IO_STATUS_BLOCK::default();
    // SAFETY: every pointer is to a value that lives until the call is over, `name` with the units that it points to
    // among them; the call writes to the handle and to the status block alone.
    let status = unsafe {
        wdk::NtCreateFile(
            &raw mut handle,
            access | fs::SYNCHRONIZE,
            &raw const attributes,
            &raw mut result,
            null(),
            0,
            fs::FILE_SHARE_READ | fs::FILE_SHARE_WRITE | fs::FILE_SHARE_DELETE,
            wdk::FILE_OPEN,
            link | kind | ALWAYS,
            null(),
            0,
        )
    };
    if status < 0 {
        return Err(Status(status));
    }
    // SAFETY: the call succeeded, so the handle is open, and nobody else has it.
    let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
    // Reading would wait until whoever has the file to itself lets go of it.
    if status == STATUS_OPLOCK_BREAK_IN_PROGRESS { Err(Status(STATUS_SHARING_VIOLATION)) } else { Ok(handle) }
}

/// A structure that the system describes an open file by.
///
/// # Safety
/// It is the one that belongs to `CLASS`, and any bytes that the system writes are one.
pub(super) unsafe trait Info: Default {
    const CLASS: fs::FILE_INFO_BY_HANDLE_CLASS;
}

// SAFETY: the structure of `FileBasicInfo`; numbers only.
unsafe impl Info for fs::FILE_BASIC_INFO {
    const CLASS: fs::FILE_INFO_BY_HANDLE_CLASS = fs::FileBasicInfo;
}

// SAFETY: the structure of `FileStandardInfo`; numbers, and two truth values that the system writes as 0 or 1.
unsafe impl Info for fs::FILE_STANDARD_INFO {
    const CLASS: fs::FILE_INFO_BY_HANDLE_CLASS = fs::FileStandardInfo;
}

// SAFETY: the structure of `FileIdInfo`; numbers only.
unsafe impl Info for fs::FILE_ID_INFO {
    const CLASS: fs::FILE_INFO_BY_HANDLE_CLASS = fs::FileIdInfo;
}

// SAFETY: the structure of `FileAttributeTagInfo`; numbers only.
unsafe impl Info for fs::FILE_ATTRIBUTE_TAG_INFO {
    const CLASS: fs::FILE_INFO_BY_HANDLE_CLASS = fs::FileAttributeTagInfo;
}

/// Describes an open file.
pub(super) fn info<T: Info>(handle: impl AsHandle) -> io::Result<T> {
    let mut info = T::default();
    let handle = handle.as_handle().as_raw_handle();
    // SAFETY: the call writes at most as many bytes as it is told, into a structure of which `Info` promises that it is
    // the one that belongs to the class.
    let done = unsafe {
        fs::GetFileInformationByHandleEx(handle, T::CLASS, (&raw mut info).cast(), size_of::<T>() as u32)
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(info) }
}

/// Owner, group and access control list of what is open, as the system stores them. `None` if they cannot be had.
pub(super) fn security(handle: impl AsHandle) -> Option<Vec<u8>> {
    let handle = handle.as_handle().as_raw_handle();
    let wanted = OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    let get = |buffer: &mut [u64]| {
        let mut needed = 0;
        let length = u32::try_from(size_of_val(buffer)).unwrap_or(0);
        // SAFETY: the call writes at most as many bytes as the buffer has, which is aligned for what they hold.
        let done = unsafe {
            GetKernelObjectSecurity(handle, wanted, buffer.as_mut_ptr().cast(), length, &raw mut needed)
        };
        (done != 0, needed)
    };
    let mut small = [0_u64; 64];
    match get(&mut small) {
        (true, length) => Some(first_bytes(&small, length)),
        // Too small is the usual reason, and then it says how much is needed.
        (false, needed) if (1..=MOST_SECURITY_BYTES).contains(&needed) => {
            let mut large = vec![0_u64; (needed as usize).div_ceil(8)];
            let (is_done, length) = get(&mut large);
            is_done.then(|| first_bytes(&large, length))
        }
        (false, _) => None,
    }
}

/// The reparse data of an open link. `None` if it is none.
pub(super) fn reparse_data(handle: impl AsHandle) -> Option<Vec<u8>> {
    let mut buffer = vec![0_u64; MOST_REPARSE_BYTES / 8];
    let mut written = 0;
    let handle = handle.as_handle().as_raw_handle();
    // SAFETY: the call reads nothing and writes at most as many bytes as the buffer has; it is over when it returns, for
    // the handle was opened so.
    let done = unsafe {
        DeviceIoControl(
            handle,
            FSCTL_GET_REPARSE_POINT,
            null(),
            0,
            buffer.as_mut_ptr().cast(),
            MOST_REPARSE_BYTES as u32,
            &raw mut written,
            null_mut(),
        )
    };
    (done != 0).then(|| first_bytes(&buffer, written))
}

/// What streams an open file or directory has, as the system packs them ([`super::listing`]); nothing if its file system
/// has no such thing.
pub(super) fn streams(handle: impl AsHandle) -> io::Result<Vec<u8>> {
    let handle = handle.as_handle().as_raw_handle();
    let mut words = vec![0_u64; 1 << 9];
    loop {
        let length = size_of_val(&words[..]);
        // SAFETY: the call writes at most as many bytes as the buffer has, which is aligned for what they hold.
        let done = unsafe {
            let buffer = words.as_mut_ptr().cast();
            fs::GetFileInformationByHandleEx(handle, fs::FileStreamInfo, buffer, length as u32)
        };
        if done != 0 {
            return Ok(first_bytes(&words, length as u32));
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error().map(i32::cast_unsigned) {
            Some(ERROR_MORE_DATA) if length < MOST_STREAM_BYTES => words.resize(words.len() * 8, 0),
            // A directory without any, and a file system that cannot have any.
            Some(code) if WITHOUT_STREAMS.contains(&code) => return Ok(Vec::new()),
            Some(_) | None => return Err(error),
        }
    }
}

/// The path of what is open, without links, in the usual spelling behind `\\?\`.
pub(super) fn final_path(handle: impl AsHandle) -> io::Result<Vec<u16>> {
    let handle = handle.as_handle().as_raw_handle();
    let mut buffer = vec![0_u16; MOST_PATH_UNITS];
    // SAFETY: the call writes at most as many units as the buffer has.
    let units = unsafe {
        fs::GetFinalPathNameByHandleW(
            handle,
            buffer.as_mut_ptr(),
            MOST_PATH_UNITS as u32,
            fs::VOLUME_NAME_DOS,
        )
    };
    if units == 0 || units as usize >= buffer.len() {
        return Err(io::Error::last_os_error());
    }
    buffer.truncate(units as usize);
    Ok(buffer)
}

/// The next entries of an open directory, as the system packs them ([`super::listing`]); `None` behind the last.
/// `is_first` begins anew.
pub(super) fn list(
    directory: impl AsHandle,
    is_first: bool,
    buffer: &mut ListBuffer,
) -> io::Result<Option<&[u8]>> {
    let class = if is_first { fs::FileIdBothDirectoryRestartInfo } else { fs::FileIdBothDirectoryInfo };
    let handle = directory.as_handle().as_raw_handle();
    // SAFETY: the call writes at most as many bytes as the buffer has, which is aligned for what they hold.
    let done = unsafe {
        fs::GetFileInformationByHandleEx(handle, class, (&raw mut buffer.0).cast(), LIST_BYTES as u32)
    };
    if done != 0 {
        return Ok(Some(&buffer.0));
    }
    let error = io::Error::last_os_error();
    let is_end = error.raw_os_error() == Some(ERROR_NO_MORE_FILES.cast_signed());
    if is_end { Ok(None) } else { Err(error) }
}

/// Room for entries of a directory, aligned as they are.
#[repr(C, align(8))]
pub(super) struct ListBuffer([u8; LIST_BYTES]);

impl ListBuffer {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self([0; LIST_BYTES]))
    }
}

/// True if another machine answers for the volume that an open file is on.
pub(super) fn is_remote(handle: impl AsHandle) -> bool {
    let mut device = FILE_FS_DEVICE_INFORMATION::default();
    let mut result = IO_STATUS_BLOCK::default();
    // SAFETY: the call writes a structure of the class that is asked for, and the status block.
    let status = unsafe {
        wdk::NtQueryVolumeInformationFile(
            handle.as_handle().as_raw_handle(),
            &raw mut result,
            (&raw mut device).cast(),
            size_of_val(&device) as u32,
            wdk::FileFsDeviceInformation,
        )
    };
    status >= 0 && device.Characteristics & FILE_REMOTE_DEVICE != 0
}

/// Lets this process read everything, as programs that make backups may. Who may not is left with his own rights.
pub(super) fn enable_backup_privilege() {
    let mut token: HANDLE = null_mut();
    // SAFETY: the call writes a handle; the process's own needs no closing.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &raw mut token) } == 0 {
        return;
    }
    let mut privilege = LUID_AND_ATTRIBUTES { Attributes: SE_PRIVILEGE_ENABLED, ..Default::default() };
    // SAFETY: the name is text of the system's own, and the call writes a number.
    if unsafe { LookupPrivilegeValueW(null(), SE_BACKUP_NAME, &raw mut privilege.Luid) } != 0 {
        let wanted = TOKEN_PRIVILEGES { PrivilegeCount: 1, Privileges: [privilege] };
        // SAFETY: the call reads one structure, and is told that the old state is not wanted.
        unsafe { AdjustTokenPrivileges(token, 0, &raw const wanted, 0, null_mut(), null_mut()) };
    }
    // SAFETY: the handle was opened here, and is closed once.
    unsafe { CloseHandle(token) };
}

/// The first bytes of memory that is aligned for more.
pub(super) fn first_bytes(words: &[u64], count: u32) -> Vec<u8> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    bytes[..bytes.len().min(count as usize)].to_vec()
}

/// Reads wait until they are done, and everything may be read that the privilege to make backups lets one. Nothing is
/// waited for, and nothing that is kept elsewhere is brought back.
const ALWAYS: wdk::NTCREATEFILE_CREATE_OPTIONS = wdk::FILE_SYNCHRONOUS_IO_NONALERT
    | wdk::FILE_OPEN_FOR_BACKUP_INTENT
    | wdk::FILE_COMPLETE_IF_OPLOCKED
    | wdk::FILE_OPEN_NO_RECALL;

/// What file systems answer that have no streams, and what a directory has for an answer that has none.
const WITHOUT_STREAMS: [WIN32_ERROR; 5] = [
    ERROR_HANDLE_EOF,
    ERROR_INVALID_PARAMETER,
    ERROR_INVALID_FUNCTION,
    ERROR_NOT_SUPPORTED,
    ERROR_CALL_NOT_IMPLEMENTED,
];

/// More streams than a file of NTFS can have.
const MOST_STREAM_BYTES: usize = 2 << 20;
const LIST_BYTES: usize = 32 << 10;
/// What the structure of a link's data has room for (`MAXIMUM_REPARSE_DATA_BUFFER_SIZE`).
const MOST_REPARSE_BYTES: usize = 16 << 10;
/// Two access control lists of the largest size, and what is around them.
const MOST_SECURITY_BYTES: u32 = 256 << 10;
/// The longest path of the system, and the prefix.
const MOST_PATH_UNITS: usize = (32 << 10) + 16;

//! Making the agent a service, and undoing that.
#![expect(unsafe_code, reason = "one setting of a service has a call of the system only")]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceStatus, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_LEVEL, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_ACTIVE, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, SERVICE_REQUIRED_PRIVILEGES_INFOW,
};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, WaitForSingleObject};

use super::registry;
use crate::service::{InstalledService, RemovedService, SERVICE_NAME, ServiceError};

/// Makes the agent a service that runs the program with these arguments, and starts it. The program is copied to where
/// only administrators may change it; whoever could change it would be the system. A service that is there is stopped,
/// and becomes this one.
///
/// # Errors
///
/// Fails if the system refuses, as it does to who is no administrator, or the service does not begin to work.
pub fn install_service(arguments: Vec<OsString>) -> Result<InstalledService, ServiceError> {
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let existing = open(&manager)?;
    if let Some(service) = &existing {
        stop(service)?;
    }
    let program = program();
    place(&program).map_err(|source| ServiceError::Program { path: program.clone(), source })?;
    let wanted = wanted(&program, arguments);
    let service = match existing {
        Some(service) => {
            service.change_config(&wanted).map_err(|error| refused("change", error))?;
            service
        }
        None => manager.create_service(&wanted, access()).map_err(|error| refused("make", error))?,
    };
    let refused = set_up(&service)?;
    start(&service)?;
    Ok(InstalledService { program, refused })
}

/// Stops and removes the service and its program. What the agent keeps stays.
///
/// # Errors
///
/// Fails if the system refuses, as it does to who is no administrator, or the service does not stop.
pub fn remove_service() -> Result<RemovedService, ServiceError> {
    let existing = open(&manager(ServiceManagerAccess::CONNECT)?)?;
    if let Some(service) = &existing {
        stop(service)?;
        service.delete().map_err(|error| refused("remove", error))?;
    }
    let program = program();
    let is_gone = match std::fs::remove_file(&program) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if is_gone && let Some(folder) = program.parent() {
        // Whoever keeps something else there keeps it.
        let _ = std::fs::remove_dir(folder);
    }
    Ok(RemovedService { was_there: existing.is_some(), left: (!is_gone).then_some(program) })
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, ServiceError> {
    ServiceManager::local_computer(None::<&OsStr>, access)
        .map_err(|error| ServiceError::Manager { source: cause(error) })
}

fn open(manager: &ServiceManager) -> Result<Option<Service>, ServiceError> {
    match manager.open_service(SERVICE_NAME, access()).map_err(cause) {
        Ok(service) => Ok(Some(service)),
        Err(error) if is(&error, ERROR_SERVICE_DOES_NOT_EXIST) => Ok(None),
        Err(source) => Err(ServiceError::Manage { doing: "open", source }),
    }
}

fn access() -> ServiceAccess {
    ServiceAccess::QUERY_STATUS
        | ServiceAccess::START
        | ServiceAccess::STOP
        | ServiceAccess::CHANGE_CONFIG
        | ServiceAccess::DELETE
}

/// What the service is to be.
fn wanted(program: &Path, arguments: Vec<OsString>) -> ServiceInfo {
    ServiceInfo {
        name: SERVICE_NAME.into(),
        display_name: "Steadfast agent".into(),
        service_type: ServiceType::OWN_PROCESS,
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program.to_owned(),
        launch_arguments: arguments,
        dependencies: Vec::new(),
        // The system itself: keys and files that only it may read are what an attacker is after.
        account_name: None,
        account_password: None,
    }
}

/// Sets what a service is not made with, and tells what the system does not know.
fn set_up(service: &Service) -> Result<Vec<&'static str>, ServiceError> {
    let restart = |delay| ServiceAction { action_type: ServiceActionType::Restart, delay };
    let actions = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(FORGET_FAILURES_AFTER),
        reboot_msg: None,
        command: None,
        // The last one is for all that follow.
        actions: Some(RESTART_AFTER.into_iter().map(restart).collect()),
    };
    let settings = [
        ("be given a description", service.set_description(DESCRIPTION).map_err(cause)),
        ("be started again when it fails", service.update_failure_actions(actions).map_err(cause)),
        (
            "be started again when it ends with an error",
            service.set_failure_actions_on_non_crash_failures(true).map_err(cause),
        ),
        ("be kept to the privileges that it needs", keep_only_privileges(service)),
    ];
    let mut unknown = Vec::new();
    for (without, result) in settings {
        match result {
            Ok(()) => {}
            Err(error) if is(&error, ERROR_INVALID_LEVEL) => unknown.push(without),
            Err(source) => return Err(ServiceError::Manage { doing: "set up", source }),
        }
    }
    Ok(unknown)
}

/// Has the system take from the service, before it begins, all privileges but those that it needs.
fn keep_only_privileges(service: &Service) -> io::Result<()> {
    let mut list: Vec<u16> =
        PRIVILEGES.iter().flat_map(|name| name.encode_utf16().chain([0])).chain([0]).collect();
    let wanted = SERVICE_REQUIRED_PRIVILEGES_INFOW { pmszRequiredPrivileges: list.as_mut_ptr() };
    // SAFETY: the handle is open; the structure is the one of this setting, and with its texts, each of which ends in 0
    // and the last in another, lives until the call is over.
    let done = unsafe {
        ChangeServiceConfig2W(
            service.raw_handle(),
            SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
            (&raw const wanted).cast(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Starts the service, and waits until it says that it is at work.
fn start(service: &Service) -> Result<(), ServiceError> {
    service.start::<&OsStr>(&[]).map_err(|error| refused("start", error))?;
    let status =
        wait(service, "running", |state| matches!(state, ServiceState::Running | ServiceState::Stopped))?;
    match (status.current_state, status.exit_code) {
        (ServiceState::Running, _) => Ok(()),
        (_, ServiceExitCode::Win32(code) | ServiceExitCode::ServiceSpecific(code)) => {
            Err(ServiceError::EndedAtStart { code })
        }
    }
}

/// Stops the service if it runs, and waits until its process has ended, which holds its program until then.
fn stop(service: &Service) -> Result<(), ServiceError> {
    let process = status(service)?.process_id.and_then(process);
    match service.stop().map_err(cause) {
        Ok(_) => {}
        Err(error) if is(&error, ERROR_SERVICE_NOT_ACTIVE) => return Ok(()),
        // Somebody else has told it.
        Err(error) if is(&error, ERROR_SERVICE_CANNOT_ACCEPT_CTRL) => {}
        Err(source) => return Err(ServiceError::Manage { doing: "stop", source }),
    }
    wait(service, "stopped", |state| state == ServiceState::Stopped)?;
    let Some(process) = process else { return Ok(()) };
    // SAFETY: the handle is open, and was opened to be waited for.
    let waited = unsafe { WaitForSingleObject(process.as_raw_handle(), LONGEST_WAIT.as_millis() as u32) };
    if waited == WAIT_OBJECT_0 { Ok(()) } else { Err(too_long("stopped")) }
}

/// Opens a process to be waited for; nothing if it has ended.
fn process(id: u32) -> Option<OwnedHandle> {
    // SAFETY: the call takes numbers only.
    let handle = unsafe { OpenProcess(PROCESS_SYNCHRONIZE, 0, id) };
    // SAFETY: it is open then, and nobody else has it.
    (!handle.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// Asks until the service is in a state that is waited for.
fn wait(
    service: &Service,
    wanted: &'static str,
    is_there: impl Fn(ServiceState) -> bool,
) -> Result<ServiceStatus, ServiceError> {
    let begun = Instant::now();
    while begun.elapsed() < LONGEST_WAIT {
        let status = status(service)?;
        if is_there(status.current_state) {
            return Ok(status);
        }
        sleep(ASK_EVERY);
    }
    Err(too_long(wanted))
}

fn status(service: &Service) -> Result<ServiceStatus, ServiceError> {
    service.query_status().map_err(|error| refused("ask", error))
}

fn too_long(wanted: &'static str) -> ServiceError {
    ServiceError::TakesTooLong { wanted, seconds: LONGEST_WAIT.as_secs() }
}

/// Where the program belongs. The system's own word for the folder counts: variables may be those of a user.
fn program() -> PathBuf {
    let folder =
        registry::text(CURRENT_VERSION, "ProgramFilesDir").unwrap_or_else(|| PROGRAM_FILES.to_owned());
    Path::new(&folder).join("Steadfast").join("steadfast-agent.exe")
}

/// Copies this program there, unless it is the one.
fn place(program: &Path) -> io::Result<()> {
    let own = std::env::current_exe()?;
    let is_there = program.canonicalize().is_ok_and(|there| own.canonicalize().is_ok_and(|own| own == there));
    if is_there {
        return Ok(());
    }
    if let Some(folder) = program.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let new = program.with_extension("new");
    std::fs::copy(&own, &new)?;
    std::fs::rename(&new, program)
}

fn refused(doing: &'static str, error: windows_service::Error) -> ServiceError {
    ServiceError::Manage { doing, source: cause(error) }
}

/// What the system has said.
fn cause(error: windows_service::Error) -> io::Error {
    match error {
        windows_service::Error::Winapi(error) => error,
        other => io::Error::other(other),
    }
}

fn is(error: &io::Error, code: u32) -> bool {
    error.raw_os_error() == Some(code.cast_signed())
}

const DESCRIPTION: &str =
    "Watches this machine's files, registry, services and software, and tells the server what changed.";

/// Reading what others may not, and seeing what is below a folder that is watched; every process that is told of changes
/// in folders has the second.
const PRIVILEGES: [&str; 2] = ["SeBackupPrivilege", "SeChangeNotifyPrivilege"];

/// An agent that fails is away for as long: seconds first, and a minute if that does not help.
const RESTART_AFTER: [Duration; 3] =
    [Duration::from_secs(5), Duration::from_secs(5), Duration::from_secs(60)];
const FORGET_FAILURES_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Longer than the service says that it may take to begin or to stop.
const LONGEST_WAIT: Duration = Duration::from_secs(90);
const ASK_EVERY: Duration = Duration::from_millis(100);

const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows\CurrentVersion";
const PROGRAM_FILES: &str = r"C:\Program Files";

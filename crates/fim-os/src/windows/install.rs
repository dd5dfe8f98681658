//! Making the agent a service, and undoing that.
#![expect(
    unsafe_code,
    reason = "one setting of a service, and being told of its state, have calls of the system only"
)]

use std::ffi::{OsStr, OsString, c_void};
use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceErrorControl, ServiceExitCode,
    ServiceFailureActions, ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState,
    ServiceStatus, ServiceType,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_LEVEL, ERROR_SERVICE_CANNOT_ACCEPT_CTRL, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_NOT_ACTIVE, ERROR_SUCCESS, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Services::{
    ChangeServiceConfig2W, NotifyServiceStatusChangeW, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO,
    SERVICE_NOTIFY, SERVICE_NOTIFY_2W, SERVICE_NOTIFY_RUNNING, SERVICE_NOTIFY_STATUS_CHANGE,
    SERVICE_NOTIFY_STOPPED, SERVICE_REQUIRED_PRIVILEGES_INFOW,
};
use windows_sys::Win32::System::Threading::{OpenProcess, PROCESS_SYNCHRONIZE, SleepEx, WaitForSingleObject};

use super::event_log;
use super::host::program_folder;
use crate::service::{InstalledService, RemovedService, SERVICE_NAME, ServiceError};

/// Makes the agent a service that runs the program with these arguments, and starts it. The program is copied to where
/// only administrators may change it; whoever could change it would be the system. A service that is there is stopped,
/// and becomes this one; one that was not there and does not begin to work is not left behind.
///
/// # Errors
///
/// Fails if the system refuses, as it does to who is no administrator, or the service does not begin to work.
pub fn install_service(arguments: Vec<OsString>) -> Result<InstalledService, ServiceError> {
    let manager = manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
    let existing = open(&manager)?;
    let program = program();
    let no_program = |source| ServiceError::Program { path: program.clone(), source };
    // A copy that fails is to leave the service at work.
    let newer = Newer::bring(&program).map_err(no_program)?;
    if let Some(service) = &existing {
        stop(service)?;
    }
    if let Some(newer) = &newer {
        std::fs::rename(&newer.0, &program).map_err(no_program)?;
    }
    event_log::register(&program);
    let wanted = wanted(&program, arguments);
    let refused = match existing {
        Some(service) => {
            service.change_config(&wanted).map_err(|error| refused("change", error))?;
            set_up_and_start(&service)?
        }
        None => {
            let service =
                manager.create_service(&wanted, access()).map_err(|error| refused("make", error))?;
            set_up_and_start(&service).inspect_err(|_| {
                let _ = stop(&service);
                let _ = service.delete();
            })?
        }
    };
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
    event_log::unregister();
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

/// What the system does not know of the settings, once the service is at work.
fn set_up_and_start(service: &Service) -> Result<Vec<&'static str>, ServiceError> {
    let unknown = set_up(service)?;
    start(service)?;
    Ok(unknown)
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
    let status = wait(service, "running", &[ServiceState::Running, ServiceState::Stopped])?;
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
    wait(service, "stopped", &[ServiceState::Stopped])?;
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

/// Waits until the service is in one of these states, by the word of the system's manager.
fn wait(
    service: &Service,
    wanted: &'static str,
    states: &[ServiceState],
) -> Result<ServiceStatus, ServiceError> {
    let deadline = Instant::now() + LONGEST_WAIT;
    let mut told = Told::new(states)?;
    loop {
        told.ask().map_err(|source| ServiceError::Manage { doing: "ask", source })?;
        // What came before the question may be told or not; what comes after it is.
        let status = status(service)?;
        if states.contains(&status.current_state) {
            return Ok(status);
        }
        if !told.wait(deadline) {
            return Err(too_long(wanted));
        }
    }
}

/// What the manager tells when a service comes to a state: this thread runs `note` while it sleeps.
struct Told {
    /// A handle takes one question at a time, and this one's ends with it.
    service: Service,
    mask: SERVICE_NOTIFY,
    // Both are the manager's until it has told, at a moment of its own: so neither is ever given back.
    notice: *mut SERVICE_NOTIFY_2W,
    has_come: &'static AtomicBool,
}

impl Told {
    fn new(states: &[ServiceState]) -> Result<Self, ServiceError> {
        let manager = manager(ServiceManagerAccess::CONNECT)?;
        let service = manager.open_service(SERVICE_NAME, ServiceAccess::QUERY_STATUS);
        let service = service.map_err(|error| refused("open", error))?;
        let mask = states
            .iter()
            .map(|state| match state {
                ServiceState::Running => SERVICE_NOTIFY_RUNNING,
                _ => SERVICE_NOTIFY_STOPPED,
            })
            .fold(0, |mask, bit| mask | bit);
        let has_come: &'static AtomicBool = Box::leak(Box::new(AtomicBool::new(true)));
        let notice = Box::leak(Box::new(SERVICE_NOTIFY_2W {
            dwVersion: SERVICE_NOTIFY_STATUS_CHANGE,
            pfnNotifyCallback: Some(note),
            pContext: std::ptr::from_ref(has_come).cast_mut().cast(),
            ..Default::default()
        }));
        Ok(Self { service, mask, notice, has_come })
    }

    /// Asks to be told once; again only after that.
    fn ask(&mut self) -> io::Result<()> {
        if !self.has_come.swap(false, Ordering::SeqCst) {
            return Ok(());
        }
        // SAFETY: the handle is open; the notice is of the version that it says, is never freed, and no earlier question
        // that names it is unanswered.
        let code = unsafe { NotifyServiceStatusChangeW(self.service.raw_handle(), self.mask, self.notice) };
        if code == ERROR_SUCCESS { Ok(()) } else { Err(io::Error::from_raw_os_error(code.cast_signed())) }
    }

    /// Sleeps until it is told; false if the time is over before.
    fn wait(&self, deadline: Instant) -> bool {
        while !self.has_come.load(Ordering::SeqCst) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            // SAFETY: the call takes numbers only; what it lets run is `note`.
            unsafe { SleepEx(u32::try_from(left.as_millis()).unwrap_or(u32::MAX).max(1), 1) };
        }
        true
    }
}

/// Notes that the manager has told; the manager calls it with the notice.
unsafe extern "system" fn note(notice: *const c_void) {
    // SAFETY: it is the notice that was handed over, which is never freed, and neither is what it points to.
    let has_come = unsafe { &*(*notice.cast::<SERVICE_NOTIFY_2W>()).pContext.cast::<AtomicBool>() };
    has_come.store(true, Ordering::SeqCst);
}

fn status(service: &Service) -> Result<ServiceStatus, ServiceError> {
    service.query_status().map_err(|error| refused("ask", error))
}

fn too_long(wanted: &'static str) -> ServiceError {
    ServiceError::TakesTooLong { wanted, seconds: LONGEST_WAIT.as_secs() }
}

/// Where the program belongs.
fn program() -> PathBuf {
    program_folder().join("steadfast-agent.exe")
}

/// A copy of this program beside its place, which goes with this value unless it was put into its place.
struct Newer(PathBuf);

impl Newer {
    /// Copies this program, unless it is the one in that place.
    fn bring(program: &Path) -> io::Result<Option<Self>> {
        let own = std::env::current_exe()?;
        let is_there =
            program.canonicalize().is_ok_and(|there| own.canonicalize().is_ok_and(|own| own == there));
        if is_there {
            return Ok(None);
        }
        if let Some(folder) = program.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let newer = Self(program.with_extension("new"));
        std::fs::copy(&own, &newer.0)?;
        Ok(Some(newer))
    }
}

impl Drop for Newer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
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

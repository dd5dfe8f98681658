//! Runs the scenarios: numbered YAML files, each a list of steps.
//!
//! | Step | Does |
//! |---|---|
//! | `call: POST /path`, `as: owner`, `json`, `text`, `headers`, `status`, `body`, `has`, `lacks`, `answer-headers`, `save` | calls and compares; `body` is compared as far as it goes, `"*"` is anything |
//! | `refused: true` | the connection itself must fail |
//! | `eventually: true` | the call is repeated until it fits |
//! | `enroll: NAME` with `token` | joins as a machine; it then calls `as: NAME` |
//! | `renew: NAME` | exchanges a machine's certificate for one of a new key |
//! | `batch: {sequence, added, …}` with `as: NAME` | sends a batch |
//! | `open: /path` with `headers` | opens a stream of events for the caller |
//! | `event: TEXT` | the next event of the caller's stream has the text |
//! | `ended: true` | the caller's stream ends without another event |
//! | `code: VARIABLE` | has the server make a one-time sign-in code |
//! | `advance: SECONDS`, `restart: true` with `downtime: SECONDS` | moves the clock, restarts the server |
//!
//! Callers: `owner` and `reader` have API tokens, `browser` has cookies over TLS, `page` has cookies over plain
//! loopback, `nobody` has nothing, `stranger` has another authority's certificate, anything else is a machine.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::machine::{BatchText, Machine, batch_bytes};
use crate::running::{PATIENCE, Running};

/// Runs one file of `tests/scenarios`.
pub fn run(file: &str) {
    let path = format!("{}/tests/scenarios/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap();
    let scenario: Scenario = yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let mut world = World::new();
    for (number, step) in (1..).zip(&scenario.steps) {
        let label = format!(
            "{file}, step {number}: {}",
            step.say.as_deref().or(step.call.as_deref()).unwrap_or_default()
        );
        if let Err(fault) = world.perform(step) {
            panic!("{label}\n  {fault}");
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    #[expect(dead_code, reason = "it is for the file's reader")]
    name: String,
    steps: Vec<Step>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
struct Step {
    say: Option<String>,
    call: Option<String>,
    #[serde(rename = "as")]
    caller: Option<String>,
    json: Option<Value>,
    text: Option<String>,
    headers: BTreeMap<String, String>,
    status: Option<u16>,
    body: Option<Value>,
    has: Vec<String>,
    lacks: Vec<String>,
    answer_headers: BTreeMap<String, String>,
    save: BTreeMap<String, String>,
    refused: bool,
    eventually: bool,
    enroll: Option<String>,
    renew: Option<String>,
    token: Option<String>,
    batch: Option<BatchText>,
    sensor: Option<String>,
    open: Option<String>,
    event: Option<String>,
    ended: bool,
    code: Option<String>,
    advance: Option<u64>,
    restart: bool,
    /// Seconds by which the clock goes on while the server is down for a restart.
    downtime: u64,
}

struct World {
    running: Running,
    clients: HashMap<String, Client>,
    machines: HashMap<String, Machine>,
    /// The data of the events of each caller's stream, until it ends.
    streams: HashMap<String, Receiver<String>>,
    variables: BTreeMap<String, String>,
}

impl World {
    fn new() -> Self {
        let running = Running::start();
        let mut variables = BTreeMap::new();
        variables.insert("owner-token".to_owned(), running.owner_token());
        Self {
            running,
            clients: HashMap::new(),
            machines: HashMap::new(),
            streams: HashMap::new(),
            variables,
        }
    }

    fn perform(&mut self, step: &Step) -> Result<(), String> {
        if let Some(seconds) = step.advance {
            self.running.clock.advance(Duration::from_secs(seconds));
        }
        if step.restart {
            self.running.stop();
            self.running.clock.advance(Duration::from_secs(step.downtime));
            self.running.restart();
            self.forget_connections();
        }
        if let Some(variable) = &step.code {
            let code = self.running.sign_in_code();
            self.variables.insert(variable.clone(), code);
        }
        if let Some(name) = &step.enroll {
            return self.enroll(name, step);
        }
        if let Some(name) = &step.renew {
            return self.renew(name, step);
        }
        if let Some(batch) = &step.batch {
            return self.send_batch(batch, step);
        }
        if let Some(path) = &step.open {
            self.open(path, step);
            return Ok(());
        }
        if step.event.is_some() || step.ended {
            return self.next_of_stream(step);
        }
        if step.call.is_some() {
            return self.call_until_it_fits(step);
        }
        Ok(())
    }

    fn enroll(&mut self, name: &str, step: &Step) -> Result<(), String> {
        let token = match &step.token {
            Some(token) => self.filled(token),
            None => self.running.enrollment_token(),
        };
        let mut machine = Machine::new();
        let request = json!({
            "token": token, "machineName": name, "osType": "Linux", "osName": "Debian 12",
            "agentVersion": "0.1.0", "csrPem": machine.csr_pem,
        });
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let body = Some(request.to_string().into_bytes());
        let answer = self
            .client("nobody")
            .call("POST", "/agent/v1/enroll", &headers, body)
            .map_err(|error| error.to_string())?;
        self.compare(&answer, step)?;
        if answer.status == 200 {
            let enrolled = answer.json();
            machine.certificate_pem = enrolled["certificatePem"].as_str().map(str::to_owned);
            machine.id = enrolled["machineId"].as_str().unwrap().parse().unwrap();
            self.variables.insert(format!("{name}-id"), machine.id.to_string());
            self.machines.insert(name.to_owned(), machine);
        }
        Ok(())
    }

    fn renew(&mut self, name: &str, step: &Step) -> Result<(), String> {
        let fresh = Machine::new();
        let headers = [("content-type".to_owned(), "application/json".to_owned())];
        let body = Some(json!({ "csrPem": fresh.csr_pem }).to_string().into_bytes());
        let answer = self
            .client(name)
            .call("POST", "/agent/v1/certificate", &headers, body)
            .map_err(|error| error.to_string())?;
        self.compare(&answer, step)?;
        let certificate_pem = answer.json()["certificatePem"].as_str().map(str::to_owned);
        let id = self.machines[name].id;
        self.machines.insert(name.to_owned(), Machine { certificate_pem, id, ..fresh });
        self.clients.remove(name);
        Ok(())
    }

    fn send_batch(&mut self, batch: &BatchText, step: &Step) -> Result<(), String> {
        let caller = step.caller.clone().unwrap_or_default();
        let sensor = step.sensor.as_ref().unwrap_or(&caller);
        let bytes = batch_bytes(self.machines[sensor].id, batch, self.running.clock.now());
        let bytes = zstd::bulk::compress(&bytes, 3).unwrap();
        let headers = [("content-type", "application/cbor"), ("content-encoding", "zstd")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let answer = self
            .client(&caller)
            .call("POST", "/agent/v1/batches", &headers, Some(bytes))
            .map_err(|error| error.to_string())?;
        self.compare(&answer, step)
    }

    /// Opens a stream of events, which a thread reads until it ends.
    fn open(&mut self, path: &str, step: &Step) {
        let caller = step.caller.clone().unwrap_or_else(|| "owner".to_owned());
        let headers: Vec<(String, String)> =
            step.headers.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect();
        let reader = BufReader::new(self.client(&caller).open(path, &headers));
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in reader.lines().map_while(Result::ok) {
                if let Some(data) = line.strip_prefix("data:") {
                    // Whoever no longer listens has seen enough.
                    let _ = sender.send(data.to_owned());
                }
            }
        });
        self.streams.insert(caller, events);
    }

    fn next_of_stream(&self, step: &Step) -> Result<(), String> {
        let caller = step.caller.as_deref().unwrap_or("owner");
        match (&step.event, self.streams[caller].recv_timeout(PATIENCE)) {
            (_, Err(RecvTimeoutError::Timeout)) => Err("the stream goes on and says nothing".to_owned()),
            (None, Err(RecvTimeoutError::Disconnected)) => Ok(()),
            (None, Ok(data)) => Err(format!("the stream goes on with {data}")),
            (Some(text), Ok(data)) if data.contains(text) => Ok(()),
            (Some(text), other) => Err(format!("the stream has no \"{text}\" but {other:?}")),
        }
    }

    fn call_until_it_fits(&mut self, step: &Step) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let outcome = self.call(step);
            if outcome.is_ok() || !step.eventually || Instant::now() > deadline {
                return outcome;
            }
            std::thread::yield_now();
        }
    }

    fn call(&mut self, step: &Step) -> Result<(), String> {
        let call = self.filled(step.call.as_deref().unwrap_or_default());
        let (method, path) = call.split_once(' ').ok_or("a call is `METHOD /path`")?;
        let mut headers: Vec<(String, String)> =
            step.headers.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect();
        let body = match (&step.json, &step.text) {
            (Some(value), _) => {
                if !step.headers.contains_key("content-type") {
                    headers.push(("content-type".to_owned(), "application/json".to_owned()));
                }
                Some(self.filled(&value.to_string()).into_bytes())
            }
            (None, Some(text)) => Some(expand(&self.filled(text)).into_bytes()),
            (None, None) if matches!(method, "POST" | "PUT" | "PATCH") => Some(Vec::new()),
            (None, None) => None,
        };
        let caller = step.caller.clone().unwrap_or_else(|| "owner".to_owned());
        let answer = self.client(&caller).call(method, path, &headers, body);
        match (answer, step.refused) {
            (Err(_), true) => Ok(()),
            (Err(error), false) => Err(error.to_string()),
            (Ok(answer), true) => {
                Err(format!("the connection was to be refused, and the answer is {}", answer.status))
            }
            (Ok(answer), false) => self.compare(&answer, step),
        }
    }

    fn compare(&mut self, answer: &Answer, step: &Step) -> Result<(), String> {
        let wanted = step.status.unwrap_or(200);
        if answer.status != wanted {
            return Err(format!("the status is {}, not {wanted}: {}", answer.status, answer.text));
        }
        for (name, value) in &step.answer_headers {
            let found = answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            if !found.contains(&self.filled(value)) {
                return Err(format!("the header {name} is \"{found}\" and lacks \"{value}\""));
            }
        }
        for text in &step.has {
            if !answer.text.contains(&self.filled(text)) {
                return Err(format!("the answer lacks \"{text}\": {}", answer.text));
            }
        }
        for text in &step.lacks {
            if answer.text.contains(&self.filled(text)) {
                return Err(format!("the answer has \"{text}\": {}", answer.text));
            }
        }
        if let Some(body) = &step.body {
            let wanted: Value = serde_json::from_str(&self.filled(&body.to_string())).unwrap();
            difference("", &wanted, &answer.json())?;
        }
        for (variable, pointer) in &step.save {
            let value = answer.json();
            let value = value.pointer(pointer).ok_or_else(|| format!("{pointer} is not in {value}"))?;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            self.variables.insert(variable.clone(), text);
        }
        Ok(())
    }

    fn client(&mut self, name: &str) -> &mut Client {
        if !self.clients.contains_key(name) {
            let client = self.new_client(name);
            self.clients.insert(name.to_owned(), client);
        }
        self.clients.get_mut(name).unwrap()
    }

    fn new_client(&mut self, name: &str) -> Client {
        let (url, ca) = (self.running.url(), self.running.server().ca_pem().to_owned());
        match name {
            "owner" => Client::new(&url, &ca, None).with_token(&self.variables["owner-token"]),
            "reader" => {
                let request = json!({ "name": "the reader", "role": "reader" }).to_string().into_bytes();
                let headers = [("content-type".to_owned(), "application/json".to_owned())];
                let made =
                    self.client("owner").call("POST", "/api/v1/tokens", &headers, Some(request)).unwrap();
                Client::new(&url, &ca, None).with_token(made.json()["token"].as_str().unwrap())
            }
            "page" => Client::new(&self.running.browser_url(), &ca, None),
            "browser" | "nobody" => Client::new(&url, &ca, None),
            "stranger" => {
                let stranger = Machine::new();
                let key = rcgen::KeyPair::from_pem(&stranger.key_pem).unwrap();
                let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
                Client::new(&url, &ca, Some((&certificate.pem(), &stranger.key_pem)))
            }
            machine => {
                let machine =
                    self.machines.get(machine).unwrap_or_else(|| panic!("{machine} has not joined"));
                Client::new(&url, &ca, Some((machine.certificate_pem.as_ref().unwrap(), &machine.key_pem)))
            }
        }
    }

    /// After a restart the ports are others; cookies stay.
    fn forget_connections(&mut self) {
        let sessions: Vec<_> = ["browser", "page"]
            .into_iter()
            .filter_map(|name| {
                self.clients.get(name).map(|client| (name, client.cookie.clone(), client.session_key.clone()))
            })
            .collect();
        let reader = self.clients.remove("reader");
        self.clients.clear();
        drop(reader);
        for (name, cookie, session_key) in sessions {
            let client = self.client(name);
            client.cookie = cookie;
            client.session_key = session_key;
        }
    }

    /// `${name}` becomes the variable's value.
    fn filled(&self, text: &str) -> String {
        self.variables
            .iter()
            .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
    }
}

/// `{{1000 x "a"}}` is a thousand of them.
fn expand(text: &str) -> String {
    let Some((before, rest)) = text.split_once("{{") else { return text.to_owned() };
    let (inner, after) = rest.split_once("}}").unwrap();
    let (number, piece) = inner.split_once(" x ").unwrap();
    format!("{before}{}{after}", piece.trim_matches('"').repeat(number.trim().parse().unwrap()))
}

/// Compares as far as `wanted` goes: an object's missing keys are anything, a list has as many items.
fn difference(place: &str, wanted: &Value, found: &Value) -> Result<(), String> {
    match (wanted, found) {
        (Value::String(any), _) if any == "*" => Ok(()),
        (Value::Object(wanted), Value::Object(found)) => wanted.iter().try_for_each(|(key, value)| {
            let place = format!("{place}/{key}");
            match found.get(key) {
                Some(other) => difference(&place, value, other),
                None => Err(format!("{place} is missing in {}", Value::Object(found.clone()))),
            }
        }),
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            wanted.iter().zip(found).enumerate().try_for_each(|(index, (wanted, found))| {
                difference(&format!("{place}/{index}"), wanted, found)
            })
        }
        _ if wanted == found => Ok(()),
        _ => Err(format!("{} is {found}, not {wanted}", if place.is_empty() { "the answer" } else { place })),
    }
}

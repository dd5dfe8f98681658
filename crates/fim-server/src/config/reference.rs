//! `docs/reference/server.md` says what can be configured: every key, as its type documents it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use utoipa::PartialSchema as _;

use super::{ContentConfig, KEYS, Limits, ServerConfig, StoreConfig, TlsConfig};

#[test]
fn the_reference_of_the_configuration_is_fresh() {
    let reference = reference();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/server.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &reference).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == reference,
        "docs/reference/server.md is out of date; run UPDATE=1 cargo test -p fim-server config::reference"
    );
}

/// The whole document.
fn reference() -> String {
    let schemas = [
        ("", serde_json::to_value(ServerConfig::schema()).unwrap()),
        ("tls", serde_json::to_value(TlsConfig::schema()).unwrap()),
        ("content", serde_json::to_value(ContentConfig::schema()).unwrap()),
        ("store", serde_json::to_value(StoreConfig::schema()).unwrap()),
        ("limits", serde_json::to_value(Limits::schema()).unwrap()),
    ];
    let defaults = serde_json::to_value(ServerConfig::default()).unwrap();
    let mut text = INTRODUCTION.to_owned();
    for (section, schema) in schemas {
        if !section.is_empty() {
            let about = schema["description"].as_str().unwrap();
            write!(text, "\n## [{section}]\n\n{}\n", one_line(about)).unwrap();
        }
        text.push_str("\n| Key | Default | Is |\n|---|---|---|\n");
        let keys = KEYS.iter().find(|(name, _)| *name == section).unwrap().1;
        for key in keys.iter().filter(|key| !SECTIONS.contains(key)) {
            let about = schema["properties"][key]["description"].as_str();
            let about = about.unwrap_or_else(|| panic!("{section}.{key} is not documented"));
            let default = if section.is_empty() { &defaults[key] } else { &defaults[section][key] };
            writeln!(text, "| `{key}` | {} | {} |", shown(default), one_line(about)).unwrap();
        }
    }
    text
}

/// A default as it would be written.
fn shown(default: &Value) -> String {
    match default {
        Value::Null => "–".to_owned(),
        other => format!("`{other}`"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const SECTIONS: &[&str] = &["tls", "store", "limits"];
const INTRODUCTION: &str = "\
<!-- Written from crates/fim-server/src/config.rs by UPDATE=1 cargo test -p fim-server config::reference; do not edit. -->
# Configuration of the server

`steadfast server --config F` reads a TOML file. Every key may be left out; one that is not known is refused with the nearest
that is. `steadfast up` takes options instead.

`/healthz`, `/readyz` and `/metrics` (Prometheus) have no key: they are served on each address. The counters are shown to callers
on the server's own machine, and elsewhere to those with an API token of any role. A proxy on the same machine that hands on
connections makes every caller one of the machine.

```toml
data_dir = \"/var/lib/steadfast\"
listen = \"0.0.0.0:8443\"
names = [\"fim.example.org\"]

[limits]
query_seconds = 60
```
";

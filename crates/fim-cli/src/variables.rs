//! The variables of the environment that stand for options.

use std::ffi::OsString;

/// What the variable is set to. Set to nothing is not set: that is how scripts leave one out.
pub fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// What `--help` says of them.
pub const VARIABLES: &str = "Environment:
  STEADFAST_SERVER     the server's address, as --server
  STEADFAST_TOKEN      the API token to sign in with; `steadfast token create` makes one
  STEADFAST_CA         the CA certificate of the server, as --ca
  STEADFAST_WORKSPACE  the workspace, as --workspace
  STEADFAST_HOME       the folder of the profile [default: ~/.config/steadfast]
  HTTPS_PROXY          the proxy to servers on other machines, but for those in NO_PROXY
  RUST_LOG             what `up` and `server` log, such as info

`steadfast up` keeps each server that it starts in profile.toml in that folder: its address, its CA and a token. \
The last one is asked unless --server names another; a token of one server is not sent to another.";

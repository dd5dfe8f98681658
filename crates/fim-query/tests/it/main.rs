//! All integration tests in one binary, because linking the engine takes longer than running them.

mod answers;
mod conformance;
mod functions;
mod limits;
mod provider;
mod support;
mod writers;

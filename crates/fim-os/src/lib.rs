//! The live machine: its file tree and what is known of the host.

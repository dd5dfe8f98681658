//! KQL text to diagnostics and a typed plan; pure.

//! The store's promises, checked from outside.

mod concurrency;
mod directory;
mod kill_points;
mod layout;
mod log_model;
mod record;
mod rows;
mod store;
mod support;

//! The engine every sensor runs: baseline, tracking, spool, uplink, schedule.

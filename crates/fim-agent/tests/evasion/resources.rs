//! What the agent takes of the machine that it watches.

use crate::stage::Stage;

#[test]
fn an_agent_at_rest_has_given_back_what_its_start_took() {
    let Some(mut stage) = Stage::on(&[]) else { return };
    stage.start();
    let kib = stage.own_memory_kib();
    // Reading the kernel's types takes some thirty mebibytes; what is needed at rest is about five.
    assert!(kib < 12 << 10, "{kib} KiB");
}

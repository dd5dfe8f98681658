//! Software of the machine, as its real package manager changes it.

use std::fs;
use std::path::Path;

use fim_testkit::{Rpm, skip};
use serde_json::Value;

use crate::installation::Installation;

fn package(name: &str, version: &str) -> String {
    format!(
        "Name: {name}\nVersion: {version}\nRelease: 1\nEpoch: 2\nSummary: Is there to be seen\nLicense: MIT\n\
         Vendor: Somebody\nBuildArch: noarch\n%description\nNothing.\n%files\n"
    )
}

fn install(rpm: &Rpm, name: &str, version: &str) {
    let packages = rpm.build(&package(name, version));
    rpm.change("-U", &[&packages[0]]);
}

fn is_like(row: &Value, expected: &[(&str, &str)]) {
    for (column, value) in expected {
        assert_eq!(row[column], *value, "{column}: {row:#}");
    }
}

#[test]
fn packages_that_rpm_installs_upgrades_and_erases_are_rows_and_a_database_that_is_damaged_is_a_gap() {
    let mut here = Installation::new();
    fs::create_dir(here.path("rpm")).unwrap();
    let Some(rpm) = Rpm::new(&here.path("rpm")) else { return skip("there is no rpm") };
    if !fim_testkit::may_notice_in_real_time() || !Path::new("/var/lib/rpm").is_dir() {
        return skip("nothing can be mounted in the place of the database of rpm");
    }
    install(&rpm, "steadfast-stays", "1");
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    here.watch_only_own_tree();
    assert_eq!(
        here.run(&["fim", "collect", "--daemons", "off", "--software", "5s", "--inventory", "1h"]).code,
        0
    );
    here.enroll_agent();
    here.start_agent_with_rpm(&rpm.database());
    here.wait_for_baseline();
    let stays = here
        .query_until("ConfigurationData | where SoftwareName == 'steadfast-stays'", |rows| !rows.is_empty());
    is_like(&stays[0], &[("CurrentVersion", "2:1-1"), ("Architecture", "noarch"), ("Publisher", "Somebody")]);

    let told = |category: &str| {
        let about = "ConfigurationChange | where SoftwareName == 'steadfast-tried'";
        let rows =
            here.query_until(&format!("{about} and ChangeCategory == '{category}'"), |rows| !rows.is_empty());
        assert_eq!(rows.len(), 1, "{rows:#?}");
        rows[0].clone()
    };
    let beside = names(&rpm.database());
    install(&rpm, "steadfast-tried", "1.0");
    is_like(
        &told("Added"),
        &[
            ("ConfigChangeType", "Software"),
            ("SoftwareType", "Package"),
            ("Current", "2:1.0-1"),
            ("Publisher", "Somebody"),
            ("SoftwareDescription", "Is there to be seen"),
            ("Attributes", "Manager=rpm; Architecture=noarch"),
        ],
    );
    install(&rpm, "steadfast-tried", "1.1");
    is_like(&told("Modified"), &[("Previous", "2:1.0-1"), ("Current", "2:1.1-1")]);

    // What cannot be read is a gap, and nothing of it is gone.
    let database = rpm.database().join("rpmdb.sqlite");
    let whole = fs::read(&database).unwrap();
    fs::write(&database, &whole[..whole.len() / 2]).unwrap();
    let gap = "Coverage | where Detail contains 'rpmdb.sqlite'";
    here.query_until(gap, |rows| !rows.is_empty());
    fs::write(&database, &whole).unwrap();
    rpm.change("-e", &[Path::new("steadfast-tried")]);
    is_like(&told("Removed"), &[("Previous", "2:1.1-1"), ("Current", "")]);
    let all = here.query("ConfigurationChange | where ConfigChangeType == 'Software' | project SoftwareName");
    assert!(all.iter().all(|row| row["SoftwareName"] == "steadfast-tried"), "{all:#?}");
    assert_eq!(names(&rpm.database()), beside, "nothing is made beside the database");
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

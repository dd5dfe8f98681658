//! The clients that others publish for the interfaces that we serve, as their users install them.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use fim_testkit::skip;
use serde_json::{Value, json};

use crate::installation::{Installation, finish};

/// The Python that has the clients: that of `STEADFAST_CLIENTS`, or the one that `make test` installs.
fn python() -> Option<PathBuf> {
    let cache = || env::var_os("STEADFAST_CACHE").map(PathBuf::from);
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/steadfast"));
    let folder = env::var_os("STEADFAST_CLIENTS").map(PathBuf::from);
    let folder = folder.or_else(|| cache().or_else(home).map(|cache| cache.join("clients")))?;
    // The folder is there before what belongs in it is.
    folder.join("installed").exists().then(|| folder.join("bin/python"))
}

#[test]
fn the_published_clients_sign_in_deliver_and_ask() {
    let Some(python) = python() else {
        skip("there is no Python with the published clients; scripts/setup test installs them");
        return;
    };
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let token = |name: &str, role: &str| -> Value {
        here.json(&["token", "create", "--name", name, "--role", role, "--json"])
    };
    let (reader, sender) = (token("reader", "reader"), token("sender", "metrics-publisher"));
    let workspaces: Value = here.json(&["workspace", "list", "--json"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();

    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/drive.py");
    let said = finish(
        Command::new(python)
            .arg(script)
            .arg(format!("https://{}", here.address()))
            .arg(text(&workspaces[0]["dcrImmutableId"]))
            .args([&reader["clientId"], &reader["token"], &sender["clientId"], &sender["token"]].map(text))
            .env("REQUESTS_CA_BUNDLE", here.path("data/pki/ca.pem")),
    );
    assert_eq!(said.code, 0, "{}\n{}\n{}", said.stdout, said.stderr, here.read_log("server.log"));
    let steps: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let step = |name: &str| {
        steps.iter().find(|step| step["step"] == name).unwrap_or_else(|| panic!("no {name} in {steps:#?}"))
    };

    // One call that is made twice with one id.
    assert_eq!(step("retried"), &json!({"step": "retried", "calls": 2, "ids": 1, "statuses": [204, 204]}));
    let refused = step("refused");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 1, "{refused}");
    assert!(refused["errors"][0].as_str().unwrap().contains("no column \"Wrong\""), "{refused}");
    assert_eq!(step("may not deliver")["status"], 403);

    let asked = step("asked");
    assert_eq!((&asked["status"], &asked["changes"]), (&json!("Success"), &json!(3000)), "{asked}");
    assert_eq!((&asked["largest"], &asked["is_moment"]), (&json!(2999), &json!(true)));
    assert_eq!(asked["bag"], r#"{"a":1}"#);
    assert_eq!(asked["types"], json!(["long", "long", "datetime", "dynamic"]));
    assert_eq!(asked["visualization"], "barchart");
    assert!(asked["statistics"].as_array().unwrap().contains(&json!("executionTime")), "{asked}");

    // Of the calls with a wrong record, those without it were stored.
    let all = here.query("ConfigurationChange | count")[0]["Count"].clone();
    let partly = here.query("ConfigurationChange | where Computer == 'partly' | count")[0]["Count"].clone();
    let lost = refused["records"][0].as_u64().unwrap();
    assert_eq!(partly, json!(2001 - lost));
    assert!((1..2001).contains(&lost), "{refused}");
    assert_eq!(step("spans")["counts"], json!([all, 0, all, all]));

    let several = step("several");
    assert_eq!((&several["beside"], &several["named"]), (&all, &all), "{several}");
    assert_eq!(several["of_resource"], all, "{several}");

    let mistaken = step("mistaken");
    assert_eq!((&mistaken["status"], &mistaken["code"]), (&json!(400), &json!("BadArgumentError")));
    assert!(mistaken["message"].as_str().unwrap().contains("Computer"), "{mistaken}");
    let cut = step("cut");
    assert_eq!((&cut["status"], &cut["rows"]), (&json!("PartialError"), &json!(500_000)), "{cut}");
    assert_eq!(step("batch")["statuses"], json!(["Success", "Failure", "Failure", "Success"]));
    assert_eq!(step("batch")["codes"], json!([null, "BadArgumentError", "ResourceNotFoundError", null]));
    assert_eq!(step("may not ask")["status"], 403);
    assert!(step("unknown")["message"].as_str().unwrap().contains("no API token has this client_id"));

    let cluster = step("cluster");
    assert_eq!((&cluster["errors"], &cluster["changes"]), (&json!(0), &json!(10)), "{cluster}");
    assert_eq!((&cluster["is_moment"], &cluster["seconds"]), (&json!(true), &json!(86401.0)));
    assert_eq!(cluster["bag"], json!({"a": [1]}));
    assert_eq!(step("streamed")["total"], 500_500);
    assert!(step("tables")["tables"].as_array().unwrap().contains(&json!("ConfigurationChange")));
    assert_eq!(step("cluster mistaken")["is_semantic"], true);

    let logged = "LAQueryLogs | where RequestClientApp startswith 'azsdk-python-monitor-query' \
                  | summarize Asked = count() by AADClientId, ResponseCode | order by ResponseCode asc";
    let logged = here.query(logged);
    assert_eq!(logged[0]["AADClientId"], "token:reader", "{logged:#?}");
    assert_eq!((&logged[1]["ResponseCode"], &logged[1]["Asked"]), (&json!(400), &json!(2)), "{logged:#?}");
}

#[test]
fn rows_are_exported_as_files_of_columns() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let rows = "range x from 1 to 3 step 1 | extend name = strcat('=n', x)";
    for (format, begins) in
        [("parquet", &b"PAR1"[..]), ("arrow", b"ARROW1"), ("csv", b"x,name\r\n1,'=n1\r\n")]
    {
        let path = here.path("rows");
        let said = here.run(&["query", "-o", format, "--file", path.to_str().unwrap(), rows]);
        assert_eq!((said.code, said.stdout.as_str()), (0, ""), "{format}: {}", said.stderr);
        let bytes = fs::read(&path).unwrap();
        assert!(bytes.starts_with(begins), "{format}: {bytes:?}");
    }
    let path = here.path("ndjson");
    let said = here.run(&["query", "-o", "ndjson", "--file", path.to_str().unwrap(), rows]);
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert_eq!(fs::read_to_string(&path).unwrap().lines().next(), Some("{\"x\":1,\"name\":\"=n1\"}"));
    let said = here.run(&["query", "-o", "csv", "range x from 1 to 500001 step 1"]);
    assert!(said.stderr.contains("was cut at the server's limit"), "{}", said.stderr);
    // What is wrong with a file is told at once, and before the query runs.
    let folder = here.path("none");
    let (no_folder, here_itself) = (folder.join("rows.csv"), here.path(""));
    let missing =
        format!("cannot write {}: the folder {}: No such file", no_folder.display(), folder.display());
    let a_folder = format!("cannot write {}: it is a folder", here_itself.display());
    for (file, format, code, parts) in [
        (here.path("rows").as_path(), "table", 2, &["with --file choose -o csv"][..]),
        (&no_folder, "table", 2, &[&missing, "with --file choose -o csv"]),
        (&no_folder, "csv", 5, &[&missing]),
        (&here_itself, "csv", 5, &[&a_folder]),
    ] {
        let said = here.run(&["query", "-o", format, "--file", file.to_str().unwrap(), "no such query"]);
        assert_eq!(said.code, code, "{}", said.stderr);
        for part in parts {
            assert!(said.stderr.contains(part), "no {part:?} in {}", said.stderr);
        }
    }
}

//! Measures the store with change records of a real fleet's shape, and prints one JSON object.
//!
//! `ingest DIRECTORY RECORDS`: 20,000 machines, 60 % of them with Windows, busy ones much busier than others, as many
//! records a day as ten million in 90 days are, in the order of time; two thirds of the records are of files, with
//! checksums that do not compress.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a measurement that cannot go on should stop")]

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use arrow::array::RecordBatch;
use fim_core::Timestamp;
use fim_store::{Origin, Store, StoreOptions, TableBuilder};
use futures::StreamExt as _;
use futures::executor::block_on;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::json;
use uuid::Uuid;

const TABLE: &str = "ConfigurationChange";
const WORKSPACE: Uuid = Uuid::from_u128(0x7e0c_3f5a);
/// 2026-08-01T00:00:00Z.
const START: i64 = 1_785_542_400_000_000_000;
/// Between two records: ten million in 90 days.
const STEP_NANOS: i64 = 90 * 86_400_000_000_000 / 10_000_000;
/// Records that are made before the clock of a part runs.
const PART: u64 = 50_000;
/// Calls that wait for their acknowledgement at the same time.
const WRITERS: usize = 16;
/// The first records of the calls that come alone and of those with few records: of the same days as the others, and none
/// of them twice.
const ALONE: u64 = 1 << 40;
const SMALL: u64 = 1 << 41;
const SHOWN_COLUMNS: usize = 20;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    let [_, directory, records] = arguments.as_slice() else { panic!("usage: ingest DIRECTORY RECORDS") };
    let (directory, records) = (PathBuf::from(directory), records.parse::<u64>().unwrap());
    let store = Store::open(&directory, StoreOptions::default()).unwrap();

    let alone = feed(&store, 1, ALONE, 200, 10, 1);
    let small = feed(&store, 2, SMALL, 100_000, 10, WRITERS);
    let started = Instant::now();
    let cpu = cpu_seconds();
    let large = feed(&store, 3, 0, records, 1_000, WRITERS);
    let feed_cpu = cpu_seconds() - cpu;
    let log_and_files = bytes_of(&directory);
    store.flush().unwrap();
    store.maintain().unwrap();
    let whole_seconds = started.elapsed().as_secs_f64();
    let whole_cpu = cpu_seconds() - cpu;
    let info = store.tables(WORKSPACE).remove(0);
    println!(
        "{}",
        json!({
            "records": records,
            "alone": alone.json(),
            "small": small.json(),
            "large": large.json(),
            "largeCpuSeconds": feed_cpu,
            "settledSeconds": whole_seconds,
            "settledCpuSeconds": whole_cpu,
            "bytesBefore": log_and_files,
            "rows": info.rows,
            "files": info.files,
            "bytes": info.file_bytes,
            "bytesPerRow": info.file_bytes as f64 / info.rows as f64,
            "columns": columns(&store, info.rows),
            "merges": store.maintenance().merges,
            "failure": store.maintenance().last_failure.map(|failure| failure.reason),
            "peakKib": status_kib("VmHWM:"),
        })
    );
    store.close().unwrap();
}

/// What it took to have batches accepted.
struct Fed {
    batches: u64,
    batch_rows: u64,
    seconds: f64,
    /// Of each call, in order.
    acknowledged: Vec<Duration>,
    busy: u64,
}

impl Fed {
    fn json(mut self) -> serde_json::Value {
        self.acknowledged.sort();
        let at = |part: f64| {
            let index = ((self.acknowledged.len() - 1) as f64 * part) as usize;
            self.acknowledged[index].as_secs_f64() * 1e3
        };
        json!({
            "batches": self.batches,
            "batchRows": self.batch_rows,
            "seconds": self.seconds,
            "batchesPerSecond": self.batches as f64 / self.seconds,
            "recordsPerSecond": (self.batches * self.batch_rows) as f64 / self.seconds,
            "p50Millis": at(0.5),
            "p99Millis": at(0.99),
            "maxMillis": at(1.0),
            "busy": self.busy,
        })
    }
}

/// Ingests `records` in batches of `batch_rows`, `writers` calls at a time; a call that is told to come again does.
fn feed(store: &Store, source: u8, first: u64, records: u64, batch_rows: u64, writers: usize) -> Fed {
    let mut fed = Fed { batches: 0, batch_rows, seconds: 0.0, acknowledged: Vec::new(), busy: 0 };
    let mut done = 0;
    while done < records {
        let part = PART.min(records - done);
        let batches: Vec<(u64, RecordBatch)> = (0..part / batch_rows)
            .map(|index| {
                let begin = first + done + index * batch_rows;
                (begin / batch_rows + 1, batch(begin, batch_rows))
            })
            .collect();
        let started = Instant::now();
        let calls = batches.into_iter().map(|(sequence, rows)| async move {
            let began = Instant::now();
            let mut busy = 0;
            // A source of its own, because calls that overlap may be stored in another order.
            let mut origin = Origin { source: [source; 16], epoch: [0; 16], sequence: 1 };
            origin.source[..8].copy_from_slice(&sequence.to_le_bytes());
            while store.ingest(WORKSPACE, vec![(TABLE, rows.clone())], origin).await.is_err() {
                busy += 1;
                // A refused source comes back later, as the answer asks; the store's own threads go on meanwhile.
                std::thread::sleep(Duration::from_millis(20));
            }
            (began.elapsed(), busy)
        });
        let answers: Vec<(Duration, u64)> =
            block_on(futures::stream::iter(calls).buffer_unordered(writers).collect());
        fed.seconds += started.elapsed().as_secs_f64();
        fed.batches += answers.len() as u64;
        fed.busy += answers.iter().map(|(_, busy)| busy).sum::<u64>();
        fed.acknowledged.extend(answers.iter().map(|(took, _)| *took));
        done += part;
    }
    fed
}

fn batch(first: u64, rows: u64) -> RecordBatch {
    let mut builder = TableBuilder::new(TABLE, WORKSPACE).unwrap();
    for index in first..first + rows {
        record(&mut builder, index);
    }
    builder.finish().unwrap()
}

/// Adds the record of that number.
fn record(builder: &mut TableBuilder, index: u64) {
    let chance = |key: u64| mix(index.wrapping_mul(1_000_003).wrapping_add(key)) as f64 / u64::MAX as f64;
    let pick = |key: u64, n: u64| mix(index.wrapping_mul(1_000_003).wrapping_add(key)) % n;
    let machine = (20_000.0 * chance(1).powf(1.8)) as u64 % 20_000;
    let is_windows = machine % 5 < 3;
    let kind = match (is_windows, chance(3)) {
        (true, part) if part < 0.35 => "Registry",
        (true, part) if part < 0.80 => "Files",
        (true, part) if part < 0.93 => "WindowsServices",
        (false, part) if part < 0.85 => "Files",
        (false, part) if part < 0.95 => "Daemons",
        (_, _) => "Software",
    };
    let category = match chance(4) {
        part if part < 0.72 => "Modified",
        part if part < 0.88 => "Added",
        _ => "Removed",
    };
    let (has_after, has_before) = (category != "Removed", category != "Added");
    let time = START + STEP_NANOS * i64::try_from(index % ALONE).unwrap();
    let second = Timestamp(time - time % 1_000_000_000);

    let mut row = builder.row();
    let mut set = |column: &str, value: fim_store::Value<'_>| {
        row.set(column, value).unwrap();
    };
    let name = match is_windows {
        true => format!("WIN-{machine:05}.corp.contoso.com"),
        false => format!("lnx-{machine:05}.prod.contoso.net"),
    };
    set("TimeGenerated", second.into());
    set("Computer", name.into());
    set("SourceComputerId", hex(mix(machine), 2).into());
    set("VMUUID", hex(mix(machine + 77), 2).to_uppercase().into());
    set("SourceSystem", if is_windows { "OpsManager" } else { "Linux" }.into());
    set("ConfigChangeType", kind.into());
    set("ChangeCategory", category.into());
    set("ChangeSource", "Scan".into());
    set("ChangeId", hex(mix(index + 9), 2).into());
    set("RuleName", format!("rule {}", pick(40, 30)).into());
    set("_SubscriptionId", format!("5b0e3f5a-0000-4a53-9d5e-0a3b0f8e{:04}", machine % 40).into());
    set(
        "_ResourceId",
        format!(
            "/subscriptions/5b0e3f5a-0000-4a53-9d5e-0a3b0f8e{:04}/resourcegroups/rg{}/providers/microsoft.compute/virtualmachines/vm{machine:05}",
            machine % 40,
            machine % 200
        )
        .into(),
    );
    match kind {
        "Files" => {
            let path = match (is_windows, chance(6)) {
                (false, part) if part < 0.3 => format!("/etc/app{}.conf", pick(10, 400)),
                (false, part) if part < 0.6 => format!("/usr/bin/tool{}", pick(11, 2_500)),
                (false, part) if part < 0.8 => {
                    format!("/usr/local/bin/svc{}-v{}", pick(12, 300), pick(13, 40))
                }
                (false, part) if part < 0.9 => format!("/boot/vmlinuz-5.10.0-{}-amd64", pick(14, 60)),
                (false, _) => {
                    format!("/opt/vendor{}/bin/{:012x}.so", pick(15, 80), mix(pick(16, 200_000)) >> 16)
                }
                (true, part) if part < 0.4 => format!("C:\\Windows\\System32\\lib{}.dll", pick(17, 4_000)),
                (true, part) if part < 0.6 => {
                    format!("C:\\Program Files\\Contoso\\App{}\\mod{}.exe", pick(18, 120), pick(19, 90))
                }
                (true, part) if part < 0.7 => "C:\\Windows\\system.ini".to_owned(),
                (true, part) if part < 0.8 => {
                    format!("D:\\ContosWebApp\\{:016x}.aspx", mix(pick(20, 300_000)))
                }
                (true, _) => "C:\\Windows\\explorer.exe".to_owned(),
            };
            set("Name", path.rsplit(['/', '\\']).next().unwrap_or_default().to_owned().into());
            set("FileSystemPath", path.into());
            let acl = if is_windows {
                "O:BAG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1200a9;;;BU)"
            } else {
                "-rw-r--r-- root root"
            };
            let days_ago = |key: u64| {
                Timestamp(1_750_000_000_000_000_000 + pick(key, 30_000_000) as i64 * 1_000_000_000)
            };
            if has_after {
                set("FileContentChecksum", hex(mix(index * 3), 4).into());
                set("Size", (pick(26, 5_000_000) as i64).into());
                set("Acls", acl.into());
                set("Attributes", if is_windows { "Archive" } else { "0644" }.into());
                set("DateCreated", days_ago(30).into());
                set("DateModified", Timestamp(second.0 - pick(31, 3_600) as i64 * 1_000_000_000).into());
            }
            if has_before {
                set("PreviousFileContentChecksum", hex(mix(index * 3 + 1), 4).into());
                set("PreviousSize", (pick(27, 5_000_000) as i64).into());
                set("PreviousAcls", acl.into());
                set("PreviousAttributes", if is_windows { "Archive" } else { "0644" }.into());
                set("PreviousDateCreated", days_ago(30).into());
                set("PreviousDateModified", days_ago(32).into());
            }
            if has_after && has_before {
                set(
                    "FieldsChanged",
                    ["FileContentChecksum, DateModified", "Acls", "Size"][pick(5, 3) as usize].into(),
                );
            }
        }
        "Registry" => {
            let key = match pick(21, 5) {
                0 => "SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run".to_owned(),
                1 => "SYSTEM\\CurrentControlSet\\Services\\Netlogon\\Parameters".to_owned(),
                2 => "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon".to_owned(),
                3 => format!("SOFTWARE\\Microsoft\\Cryptography\\OID\\{{{:08x}}}", mix(pick(22, 500)) >> 32),
                _ => format!(
                    "SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\{}",
                    pick(23, 3_000)
                ),
            };
            set("Hive", "HKEY_LOCAL_MACHINE".into());
            set("RegistryKey", format!("HKEY_LOCAL_MACHINE\\{key}").into());
            set("ValueName", format!("Value{}", pick(24, 800)).into());
            set("ValueType", ["REG_SZ", "REG_DWORD", "REG_BINARY"][pick(25, 3) as usize].into());
            if has_after {
                set("ValueData", hex(mix(index), 1).into());
            }
            if has_before {
                set("PreviousValueData", hex(mix(index + 1), 1).into());
            }
        }
        "Software" => {
            set("SoftwareName", format!("package-{}", pick(35, 3_000)).into());
            set("SoftwareType", if is_windows { "Application" } else { "Package" }.into());
            set("Publisher", format!("Publisher {}", pick(35, 300)).into());
            set("Current", format!("{}.{}.{}", pick(36, 9), pick(37, 20), pick(38, 50)).into());
            set("Previous", format!("{}.{}.{}", pick(36, 9), pick(37, 20), pick(39, 50)).into());
        }
        _ => {
            let (now, before) =
                if chance(34) < 0.5 { ("Running", "Stopped") } else { ("Stopped", "Running") };
            set("SvcName", format!("svc{}", pick(33, 250)).into());
            set("SvcDisplayName", format!("Contoso Service {}", pick(33, 250)).into());
            set("SvcPath", format!("/usr/lib/systemd/svc{}", pick(33, 250)).into());
            set("SvcState", now.into());
            set("SvcPreviousState", before.into());
        }
    }
    row.push().unwrap();
}

/// The largest columns, with the bytes of a row that they take, and what is not in any column: Bloom filters, the index of
/// the pages and the footers.
fn columns(store: &Store, rows: u64) -> serde_json::Value {
    let snapshot = store.snapshot(WORKSPACE, TABLE).unwrap();
    let mut bytes: BTreeMap<String, u64> = BTreeMap::new();
    for file in snapshot.files.iter() {
        let file = fs::File::open(Path::new("/").join(file.path.as_ref())).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        for column in reader.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns) {
            let name = column.column_path().string();
            *bytes.entry(name).or_default() += u64::try_from(column.compressed_size()).unwrap();
        }
    }
    let in_files: u64 = snapshot.files.iter().map(|file| file.size).sum();
    let in_columns: u64 = bytes.values().sum();
    let mut largest: Vec<_> = bytes.into_iter().collect();
    largest.sort_by_key(|(_, bytes)| Reverse(*bytes));
    let per_row = |bytes: u64| (bytes as f64 / rows as f64 * 100.0).round() / 100.0;
    let others: u64 = largest.iter().skip(SHOWN_COLUMNS).map(|(_, bytes)| bytes).sum();
    let mut shown: Vec<_> =
        largest.into_iter().take(SHOWN_COLUMNS).map(|(name, bytes)| json!([name, per_row(bytes)])).collect();
    shown.push(json!(["(other columns)", per_row(others)]));
    shown.push(json!(["(filters, indexes, footers)", per_row(in_files - in_columns)]));
    shown.into()
}

/// So many words of hexadecimal digits that do not compress.
fn hex(seed: u64, words: u64) -> String {
    (0..words)
        .map(|word| format!("{:016x}", mix(seed.wrapping_add(word.wrapping_mul(0x9e37)) ^ 0x5eed)))
        .collect()
}

/// SplitMix64: every number a random-looking one, always the same.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Processor seconds of this process, by the kernel's hundredths.
fn cpu_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn status_kib(field: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn bytes_of(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).unwrap().map(Result::unwrap);
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

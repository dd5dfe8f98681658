//! What the test binaries share: the tables of the corpus and its files.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};

use fim_kql::{BindOptions, Catalog, Column, DateTime, ScalarType, Schema, TICKS_PER_DAY};

/// The columns of a table as `name:type, …`, which the official parser reads as well.
pub const TABLES: [(&str, &str); 3] = [
    (
        "ConfigurationChange",
        "TimeGenerated:datetime, Computer:string, ConfigChangeType:string, ChangeCategory:string, \
         FileSystemPath:string, RegistryKey:string, ValueName:string, FieldsChanged:string, Size:long, \
         PreviousSize:long, SvcName:string, SvcChangeType:string, SvcState:string, SvcPreviousState:string, \
         SvcStartupType:string, SoftwareName:string, Publisher:string, FileContentChecksum:string, \
         _ResourceId:string, SourceSystem:string",
    ),
    (
        "ConfigurationData",
        "TimeGenerated:datetime, Computer:string, ConfigDataType:string, SoftwareName:string, SoftwareType:string, \
         Publisher:string, CurrentVersion:string, SvcName:string, SvcState:string, _ResourceId:string, VMUUID:string",
    ),
    (
        "Mixed",
        "b:bool, d:datetime, i:int, l:long, r:real, s:string, t:timespan, g:guid, m:decimal, x:dynamic",
    ),
];

/// The workspaces that may be named.
pub const WORKSPACES: [&str; 2] = ["x", "two words"];

pub struct CorpusCatalog;

impl Catalog for CorpusCatalog {
    fn table(&self, name: &str) -> Option<Schema> {
        let (_, columns) = TABLES.iter().find(|(table, _)| *table == name)?;
        let column = |text: &str| {
            let (name, ty) = text.trim().split_once(':').expect("name:type");
            Column::new(name, ScalarType::from_name(ty).expect("a type"))
        };
        Some(Schema::new(columns.split(',').map(column).collect()))
    }

    fn table_names(&self) -> Vec<String> {
        TABLES.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn has_workspace(&self, name: &str) -> bool {
        WORKSPACES.contains(&name)
    }
}

/// 2026-11-22T12:00:00Z.
pub fn options() -> BindOptions {
    BindOptions { now: DateTime(20_779 * TICKS_PER_DAY + TICKS_PER_DAY / 2) }
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Every query of the corpus: its file and line, and its text. Queries in a file are separated by empty lines.
pub fn corpus() -> Vec<(String, Vec<String>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder().join("corpus"))
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "kql"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a corpus file");
        let queries = text.split("\n\n").map(|query| query.trim_end().to_owned());
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, queries.filter(|query| !query.is_empty()).collect())
    };
    files.into_iter().map(read).collect()
}

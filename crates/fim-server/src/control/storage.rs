//! How long records stay, how much may come in a day, and where the meters stood.

use std::collections::BTreeMap;

use fim_core::Timestamp;
use fim_store::Metered;
use serde_json::json;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;

use super::{By, Control, ControlError, audit, count, failed};

/// What a workspace's owner has set about its records.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StorageSettings {
    /// How many days every table keeps its rows; for ever if nothing is said.
    pub retention_days: Option<u32>,
    /// How many billed bytes may come in a day; any number if nothing is said.
    pub daily_cap_bytes: Option<u64>,
    /// Tables that keep their rows for another number of days.
    pub tables: BTreeMap<String, u32>,
}

/// A stretch of time that is metered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Period {
    /// An hour, for `Usage`.
    Hour,
    /// A day, for the cap.
    Day,
}

/// What a table's meter showed when a period began.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The table.
    pub table: String,
    /// When the period began.
    pub begins: Timestamp,
    /// What the meter showed then.
    pub metered: Metered,
}

impl Period {
    /// How long it is, in nanoseconds.
    pub fn nanos(self) -> i64 {
        match self {
            Self::Hour => 3_600_000_000_000,
            Self::Day => 86_400_000_000_000,
        }
    }

    /// When the period that the moment is in began, in UTC.
    pub fn begin(self, now: Timestamp) -> Timestamp {
        Timestamp(now.0 - now.0.rem_euclid(self.nanos()))
    }

    fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

impl Control {
    /// What is set about a workspace's records.
    pub async fn storage_settings(&self, workspace: Uuid) -> Result<StorageSettings, ControlError> {
        let reading = failed("reading the storage settings");
        let row = sqlx::query(
            "SELECT retention_days, daily_cap_bytes FROM storage_settings WHERE workspace_id = ?",
        )
        .bind(workspace.to_string())
        .fetch_optional(&self.pool)
        .await
        .map_err(&reading)?;
        let mut settings = row.as_ref().map(settings).transpose().map_err(&reading)?.unwrap_or_default();
        let rows = sqlx::query("SELECT table_name, days FROM table_retentions WHERE workspace_id = ?")
            .bind(workspace.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(&reading)?;
        for row in &rows {
            let table = row.try_get("table_name").map_err(&reading)?;
            settings.tables.insert(table, days(count(row, "days").map_err(&reading)?));
        }
        Ok(settings)
    }

    /// Sets what is to hold for a workspace's records, in the place of what was set.
    pub async fn set_storage_settings(
        &self,
        workspace: Uuid,
        settings: &StorageSettings,
        by: By<'_>,
    ) -> Result<(), ControlError> {
        let setting = failed("setting the storage settings");
        let id = workspace.to_string();
        let mut transaction = self.write("setting the storage settings").await?;
        sqlx::query(
            "INSERT INTO storage_settings (workspace_id, retention_days, daily_cap_bytes) VALUES (?, ?, ?) \
             ON CONFLICT (workspace_id) DO UPDATE SET retention_days = excluded.retention_days, \
             daily_cap_bytes = excluded.daily_cap_bytes",
        )
        .bind(&id)
        .bind(settings.retention_days)
        .bind(settings.daily_cap_bytes.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX)))
        .execute(&mut *transaction)
        .await
        .map_err(&setting)?;
        sqlx::query("DELETE FROM table_retentions WHERE workspace_id = ?")
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .map_err(&setting)?;
        for (table, days) in &settings.tables {
            sqlx::query("INSERT INTO table_retentions (workspace_id, table_name, days) VALUES (?, ?, ?)")
                .bind(&id)
                .bind(table)
                .bind(days)
                .execute(&mut *transaction)
                .await
                .map_err(&setting)?;
        }
        let detail = json!({
            "retentionDays": settings.retention_days,
            "dailyCapBytes": settings.daily_cap_bytes,
            "tables": settings.tables,
        });
        audit(&mut transaction, by, "storage.set", &id, &detail).await?;
        transaction.commit().await.map_err(setting)
    }

    /// What the meters of a workspace's tables showed when the period began.
    pub async fn readings(&self, workspace: Uuid, period: Period) -> Result<Vec<Reading>, ControlError> {
        let reading = failed("reading the meters");
        let rows = sqlx::query(
            "SELECT table_name, begins, rows, billed_bytes FROM meter_readings WHERE workspace_id = ? AND period = ?",
        )
        .bind(workspace.to_string())
        .bind(period.word())
        .fetch_all(&self.pool)
        .await
        .map_err(&reading)?;
        rows.iter().map(meter_reading).collect::<Result<_, _>>().map_err(reading)
    }

    /// Keeps what the meters show now that a period begins.
    pub async fn set_readings(
        &self,
        workspace: Uuid,
        period: Period,
        readings: &[Reading],
    ) -> Result<(), ControlError> {
        let keeping = failed("keeping the meters");
        let mut transaction = self.write("keeping the meters").await?;
        for reading in readings {
            sqlx::query(
                "INSERT INTO meter_readings (workspace_id, table_name, period, begins, rows, billed_bytes) \
                 VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, table_name, period) DO UPDATE SET \
                 begins = excluded.begins, rows = excluded.rows, billed_bytes = excluded.billed_bytes",
            )
            .bind(workspace.to_string())
            .bind(&reading.table)
            .bind(period.word())
            .bind(reading.begins.0)
            .bind(i64::try_from(reading.metered.rows).unwrap_or(i64::MAX))
            .bind(reading.metered.billed_bytes)
            .execute(&mut *transaction)
            .await
            .map_err(&keeping)?;
        }
        transaction.commit().await.map_err(keeping)
    }
}

fn settings(row: &SqliteRow) -> Result<StorageSettings, sqlx::Error> {
    let number = |column: &'static str| -> Result<Option<u64>, sqlx::Error> {
        let number: Option<i64> = row.try_get(column)?;
        Ok(number.and_then(|number| u64::try_from(number).ok()))
    };
    Ok(StorageSettings {
        retention_days: number("retention_days")?.map(days),
        daily_cap_bytes: number("daily_cap_bytes")?,
        tables: BTreeMap::new(),
    })
}

fn meter_reading(row: &SqliteRow) -> Result<Reading, sqlx::Error> {
    Ok(Reading {
        table: row.try_get("table_name")?,
        begins: Timestamp(row.try_get("begins")?),
        metered: Metered { rows: count(row, "rows")?, billed_bytes: row.try_get("billed_bytes")? },
    })
}

fn days(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

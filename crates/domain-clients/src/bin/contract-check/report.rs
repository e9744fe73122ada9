//! What was found, for people and for machines.

use std::fmt;

use serde::Serialize;

/// How many names of new fields fit in a line for people.
const SHOWN: usize = 5;
const HEAD: [&str; 6] = ["service", "operation", "status", "ms", "field", "what"];

/// What an operation does with its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Status {
    /// It keeps it.
    Ok,
    /// Its answer is another one.
    Drift,
    /// The service understood, and does not answer.
    Refused,
    /// There is no answer to judge.
    Unreachable,
    /// Nothing was asked.
    NotChecked,
}

/// One operation. Holds names and expectations, and no value that a service sent.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) status: Status,
    /// How long the answer took, if something was asked.
    pub(crate) ms: Option<u128>,
    /// Where the answer drifts: `items[3].priceCents`, or `status`, `content-type`, `body`.
    pub(crate) path: String,
    /// What is expected there, or what would be right.
    pub(crate) what: String,
    /// What the service sends and the contract does not know.
    pub(crate) unknown: Vec<String>,
}

/// All operations that were asked for.
pub(crate) struct Report(pub(crate) Vec<Row>);

impl Status {
    const ALL: [Self; 5] = [Self::Ok, Self::Drift, Self::Refused, Self::Unreachable, Self::NotChecked];

    /// As in JSON.
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Drift => "drift",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::NotChecked => "not-checked",
        }
    }
}

impl Row {
    pub(crate) fn new(service: &'static str, operation: &'static str, status: Status, what: String) -> Self {
        Self { service, operation, status, ms: None, path: String::new(), what, unknown: vec![] }
    }

    fn cells(&self) -> [String; 6] {
        let ms = self.ms.map(|ms| ms.to_string()).unwrap_or_default();
        let cells = [self.service, self.operation, self.status.name(), &ms, &self.path, &self.remark()];
        cells.map(str::to_owned)
    }

    fn remark(&self) -> String {
        let names = self.unknown.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = match self.unknown.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match (self.what.is_empty(), names.is_empty()) {
            (_, true) => self.what.clone(),
            (true, false) => format!("also sends {names}{more}"),
            (false, false) => format!("{}; also sends {names}{more}", self.what),
        }
    }
}

impl Report {
    pub(crate) fn exit_code(&self) -> u8 {
        let has = |wanted: Status| self.0.iter().any(|row| row.status == wanted);
        match (has(Status::Drift) || has(Status::Refused), has(Status::Unreachable)) {
            (true, _) => 1,
            // EX_UNAVAILABLE of sysexits.h
            (false, true) => 69,
            (false, false) => 0,
        }
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string_pretty(&self.0).expect("names and numbers are JSON") + "\n"
    }

    /// `9 ok, 1 drift, 3 not-checked`
    fn counts(&self) -> String {
        let count = |status: Status| self.0.iter().filter(|row| row.status == status).count();
        let counts = Status::ALL.map(|status| (count(status), status.name()));
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        counts.map(|(count, name)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
    }
}

/// An aligned table, and the counts below it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows =
            [HEAD.map(str::to_owned)].into_iter().chain(self.0.iter().map(Row::cells)).collect::<Vec<_>>();
        let width =
            |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; 6] = std::array::from_fn(width);
        for row in &rows {
            let cells =
                row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match HEAD[column] {
                    "ms" => format!("{cell:>width$}"),
                    _ => format!("{cell:width$}"),
                });
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(f, "\n{}", self.counts())
    }
}

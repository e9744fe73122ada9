//! docs/degradation.md: what the tables of these tests say, for those who write user interfaces.

use std::fmt::Write;
use std::ops::Range;
use std::time::Duration;

use end_to_end::{Kind, repository};

use super::fault::{BROKEN, DOWN, FORBIDDEN, Group, MISSING, OPEN, OVERLOADED, SLOW, UNAUTHORIZED};
use super::times::times;
use crate::routes::{Call, Lost, ROUTES, Route, kept};

const TEMPLATE: &str = include_str!("document/template.md");
const PATH: &str = "docs/degradation.md";
const HEADINGS: &[&str] = &[
    "Call that fails",
    "Lost with it",
    "Down",
    "Overloaded",
    "Slow or silent",
    "Broken answer",
    "`404` · `403` · `401`",
    "Breaker open",
    "While an answer is kept",
];
/// The columns whose cells are left out when they repeat.
const FAULTS: Range<usize> = 2..8;
const SAME: &str = "〃";

#[test]
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn it_is_current() {
    let path = repository().join(PATH);
    let current = document();
    if std::env::var_os("TRIPTYCH_WRITE_DOCUMENTS").is_some() {
        std::fs::write(&path, &current).expect("the repository is writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "{PATH} is not what the tables say: run scripts/degradation-matrix");
}

fn document() -> String {
    let sections: Vec<_> = Kind::ALL.map(of_kind).into();
    TEMPLATE.replace("{{tables}}\n", &sections.join("\n"))
}

fn of_kind(kind: Kind) -> String {
    let times = times(kind);
    let (deadline, optional, call) = (text(times.deadline), text(times.optional), text(times.call));
    let mut all = format!(
        "## {}\n\nDeadline {deadline}. A section that can be lost has {optional}, and one call {call}.\n",
        kind.name()
    );
    let (calling, others): (Vec<&Route>, Vec<_>) =
        ROUTES.iter().filter(|route| route.kind == kind).partition(|route| !route.calls.is_empty());
    for route in calling {
        let _ = write!(all, "\n### `{}`\n\n{}", route.operation(), table(route));
    }
    let others: Vec<_> = others.iter().map(|route| format!("`{}`", route.operation())).collect();
    if !others.is_empty() {
        let _ =
            write!(all, "\n{} call nothing, so that nothing of this is seen there.\n", others.join(" and "));
    }
    all
}

fn table(route: &Route) -> String {
    let rule = vec!["---"; HEADINGS.len()];
    let headings = HEADINGS.iter().map(|heading| (*heading).to_owned()).collect();
    let mut lines: Vec<Vec<String>> = vec![headings, rule.into_iter().map(str::to_owned).collect()];
    let rows: Vec<_> = route.calls.iter().map(|call| row(route, call)).collect();
    lines.extend((0..rows.len()).map(|at| unlike_above(&rows[..=at])));
    let lines = lines.iter().map(|cells| format!("| {} |", cells.join(" | ")));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// The last of these rows, with a mark for each fault that is the same as in the row above.
fn unlike_above(rows: &[Vec<String>]) -> Vec<String> {
    let [.., above, row] = rows else { return rows.concat() };
    let cells = row.iter().zip(above).enumerate();
    let same = |(column, (cell, above)): (usize, (&String, &String))| {
        if FAULTS.contains(&column) && cell == above { SAME.to_owned() } else { cell.clone() }
    };
    cells.map(same).collect()
}

fn row(route: &Route, call: &Call) -> Vec<String> {
    let (service, operation) = call.to.split_once(' ').expect("a service and a route");
    vec![
        format!("{service} `{operation}`"),
        lost(call),
        seen(route, call, &DOWN),
        seen(route, call, &OVERLOADED),
        seen(route, call, &SLOW),
        seen(route, call, &BROKEN),
        refused(route, call),
        seen(route, call, &OPEN),
        while_kept(route, call),
    ]
}

/// What is missing, as the members of the answer are called, and the section that is warned of.
fn lost(call: &Call) -> String {
    let Lost::Section(section, leaves) = &call.lost else {
        return "everything".to_owned();
    };
    let member = |pointer: &str| pointer.trim_start_matches('/').replace("/*", "[]").replace('/', ".");
    let members: Vec<_> =
        leaves.iter().map(|(pointer, value)| format!("`{}: {value}`", member(pointer))).collect();
    let named = leaves.iter().any(|(pointer, _)| member(pointer) == *section);
    let section = if named { String::new() } else { format!(" (section `{section}`)") };
    format!("{}{section}", members.join(", "))
}

/// What a client sees of these faults.
fn seen(route: &Route, call: &Call, group: &Group) -> String {
    let times = times(route.kind);
    let after = |time: Duration| if group.slow { format!(" after {}", text(time)) } else { String::new() };
    match call.lost {
        Lost::Everything => {
            let (status, problem) = group.required.split_once(' ').expect("a status and a problem");
            let (slug, advice) = problem.split_at(problem.find(',').unwrap_or(problem.len()));
            format!("{status} `{slug}`{advice}{}", after(times.call))
        }
        Lost::Section(..) => {
            format!("{}, `{}`{}", route.status, group.optional, after(times.optional.min(times.call)))
        }
    }
}

/// What a client sees of the three refusals, with the status once if it is the same.
fn refused(route: &Route, call: &Call) -> String {
    let cells = [&MISSING, &FORBIDDEN, &UNAUTHORIZED].map(|group| seen(route, call, group));
    let status = format!("{}, ", route.status);
    let short = cells.iter().enumerate().map(|(at, cell)| match cell.strip_prefix(&status) {
        Some(warning) if at > 0 => warning,
        _ => cell,
    });
    short.collect::<Vec<_>>().join(" · ")
}

fn while_kept(route: &Route, call: &Call) -> String {
    let Some(kept) = kept(call.to) else {
        return "never kept".to_owned();
    };
    let unnoticed = format!("unnoticed for {}", text(kept.unnoticed));
    if call.old {
        format!("{unnoticed}, then {}, `stale` up to {}", route.status, text(kept.if_error))
    } else {
        unnoticed
    }
}

fn text(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, _) => format!("{} s", time.as_secs_f64()),
        (0, minutes, 0) => format!("{minutes} min"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, ..) => format!("{hours} h"),
    }
}

//! An open-loop load generator: requests begin when they are due, whether or not those before are answered.
//!
//! So a service that slows down is not asked less, as its real clients would not, and a latency counts from the
//! moment at which a request was due ("coordinated omission": Tene, How NOT to Measure Latency, 2015).

mod arrivals;
mod ask;
mod plan;
mod series;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::Failure;
use arrivals::{Arrival, Arrivals};
use ask::{Asked, Client, Outcome};
pub use plan::Plan;
use series::Series;

/// Sends a mix of requests at a given rate, and prints what came of those of each second as JSON lines.
#[derive(Clone, Debug, Parser)]
#[command(name = "open-load")]
pub struct Options {
    /// What to send, as JSON: phases with their rates, and classes of requests
    pub plan: PathBuf,
}

impl Options {
    /// The plan in the file.
    pub fn read(&self) -> Result<Plan, Failure> {
        let text = std::fs::read(&self.plan)?;
        let plan: Plan = serde_json::from_slice(&text)?;
        plan.check()?;
        Ok(plan)
    }
}

/// Which request it was, and what came of it.
struct Ended {
    arrival: Arrival,
    asked: Asked,
    latency: Duration,
}

/// Sends what is planned. A line is written when every request of its second has ended.
pub async fn run(plan: Plan, out: impl Write) -> Result<(), Failure> {
    let plan = Arc::new(plan);
    let mut load = Load {
        client: Arc::new(Client::new(&plan)),
        series: Series::new(Arc::clone(&plan), out),
        started: Instant::now(),
        asking: JoinSet::new(),
        plan: Arc::clone(&plan),
    };
    load.series.begin()?;
    for arrival in Arrivals::new(&plan) {
        load.wait_for(load.started + arrival.at).await?;
        load.send(arrival)?;
    }
    load.wait_for(load.started + plan.length()).await?;
    while let Some(ended) = load.asking.join_next().await {
        load.record(ended)?;
    }
    load.series.finish()
}

struct Load<W> {
    plan: Arc<Plan>,
    client: Arc<Client>,
    series: Series<W>,
    started: Instant,
    asking: JoinSet<Ended>,
}

impl<W: Write> Load<W> {
    /// Records what ends until then.
    async fn wait_for(&mut self, moment: Instant) -> Result<(), Failure> {
        loop {
            tokio::select! {
                biased;
                () = sleep_until(moment) => break,
                Some(ended) = self.asking.join_next() => self.record(ended)?,
            }
        }
        self.series.passed(self.started.elapsed())
    }

    fn send(&mut self, arrival: Arrival) -> Result<(), Failure> {
        let due = self.started + arrival.at;
        self.series.offered(&arrival, due.elapsed());
        if self.asking.len() >= self.plan.max_in_flight {
            return self.series.unsent(&arrival);
        }
        let client = Arc::clone(&self.client);
        self.asking.spawn(async move {
            let asked = client.ask(&arrival).await;
            Ended { arrival, asked, latency: due.elapsed() }
        });
        Ok(())
    }

    fn record(&mut self, ended: Result<Ended, JoinError>) -> Result<(), Failure> {
        let Ended { arrival, asked, latency } = ended?;
        self.series.ended(&arrival, &asked, latency)
    }
}

#[cfg(test)]
mod tests;

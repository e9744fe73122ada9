//! When which request is due.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::plan::{Phase, Plan, Spacing};

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arrival {
    /// Its number, which no other has.
    pub(super) number: u64,
    /// How long after the start it is due.
    pub(super) at: Duration,
    /// The index of its class.
    pub(super) class: usize,
    /// By how much its client waits longer or shorter than others before it tries again: 0.5 to 1.5.
    pub(super) patience: f64,
}

impl Arrival {
    /// The second it belongs to, whenever it is answered.
    pub(super) fn second(&self) -> usize {
        usize::try_from(self.at.as_secs()).unwrap_or(usize::MAX)
    }
}

/// All of a plan's arrivals, the earliest first. The same seed gives the same ones.
pub(super) struct Arrivals<'a> {
    plan: &'a Plan,
    chance: StdRng,
    phases: std::slice::Iter<'a, Phase>,
    /// The phase that is drawn from, and when it ends, in seconds.
    current: Option<(&'a Phase, f64)>,
    at: f64,
    number: u64,
}

impl<'a> Arrivals<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let chance = StdRng::seed_from_u64(plan.seed);
        let mut arrivals =
            Self { plan, chance, phases: plan.phases.iter(), current: None, at: 0.0, number: 0 };
        arrivals.next_phase();
        arrivals
    }

    /// Poisson arrivals have no memory, so each phase may begin as if there had been none before.
    fn next_phase(&mut self) {
        let start = self.current.map_or(0.0, |(_, end)| end);
        self.current = self.phases.next().map(|phase| (phase, start + f64::from(phase.seconds)));
        self.at = start;
    }

    fn gap(&mut self, rate: f64) -> f64 {
        match self.plan.spacing {
            Spacing::Constant => 1.0 / rate,
            // 1 − u is above 0, so that its logarithm is a number.
            Spacing::Poisson => -(1.0 - self.chance.random::<f64>()).ln() / rate,
        }
    }

    fn class(&mut self) -> usize {
        let total: f64 = self.plan.classes.iter().map(|class| class.weight).sum();
        let mut left = self.chance.random::<f64>() * total;
        let chosen = self.plan.classes.iter().position(|class| {
            left -= class.weight;
            left < 0.0
        });
        chosen.unwrap_or(self.plan.classes.len() - 1)
    }
}

impl Iterator for Arrivals<'_> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let (phase, end) = self.current?;
            // At a rate of 0 the gap is endless.
            self.at += self.gap(phase.rate);
            if self.at < end {
                break;
            }
            self.next_phase();
        }
        self.number += 1;
        let class = self.class();
        let patience = self.chance.random_range(0.5..1.5);
        Some(Arrival { number: self.number, at: Duration::from_secs_f64(self.at), class, patience })
    }
}

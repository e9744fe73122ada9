//! Which traces are recorded by all who take part in them.

use opentelemetry::trace::TraceId;

use super::{BadVariable, Env};

const KIND: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Decides when a request comes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Sampler {
    /// Who asked us has decided, if it takes part in a trace.
    parent_based: bool,
    /// Of those it would decide itself, the share that it samples.
    share: f64,
}

impl Sampler {
    pub(super) fn read(env: &Env<'_>) -> Result<Self, BadVariable> {
        let kind = env.get(KIND).unwrap_or("parentbased_always_on");
        let (parent_based, own) = kind.strip_prefix("parentbased_").map_or((false, kind), |own| (true, own));
        let share = match own {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => share(env)?,
            _ => {
                let right =
                    "must be always_on, always_off or traceidratio, each alone or behind parentbased_";
                return Err(BadVariable::new(KIND, right));
            }
        };
        Ok(Self { parent_based, share })
    }

    pub(in super::super) fn samples(&self, trace: TraceId, parent: Option<bool>) -> bool {
        match parent {
            Some(decided) if self.parent_based => decided,
            _ => self.takes(trace),
        }
    }

    /// By the trace's id, as other SDKs do it, so that all who sample the same share sample the same traces.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 2^63 fits")]
    fn takes(&self, trace: TraceId) -> bool {
        let random = (u128::from_be_bytes(trace.to_bytes()) as u64) >> 1;
        let bound = (self.share * 2_f64.powi(63)) as u64;
        random < bound
    }
}

fn share(env: &Env<'_>) -> Result<f64, BadVariable> {
    let Some(value) = env.get(ARGUMENT) else { return Ok(1.0) };
    let share = value.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| BadVariable::new(ARGUMENT, "must be a share from 0 to 1, such as 0.01"))
}

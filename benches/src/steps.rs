//! How long each step of a run took: the engine names its steps as spans, and
//! this adds up how long each lived.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tracing::span::{Attributes, Id};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::stopwatch::Stopwatch;

/// The time of each step, by its name.
#[derive(Clone, Default)]
pub(crate) struct Steps(Arc<Mutex<BTreeMap<&'static str, Duration>>>);

impl Steps {
    /// What was measured since the last call.
    pub(crate) fn take(&self) -> BTreeMap<&'static str, Duration> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S> Layer<S> for Steps
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Stopwatch::start());
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(watch) = span.extensions_mut().remove::<Stopwatch>() else {
            return;
        };
        let mut steps = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *steps.entry(span.name()).or_default() += watch.elapsed();
    }
}

//! The way a lead came: every claim, which one counts, and by which rule.

use super::step::{Step, StepKind};
use crate::leads::LeadRow;
use crate::leads::one::TouchRow;
use crate::leads::timeline;

pub fn steps(lead: &LeadRow, touches: &[TouchRow]) -> Vec<Step> {
    let step = |t: &TouchRow| {
        let (counts, verdict) = timeline::verdict(lead, touches, t);
        let claim = timeline::touch_claim(t);
        let tone = if counts { "good" } else { "" };
        let step = Step::new(StepKind::Touch, format!("{}: {claim}", timeline::touch_title(&t.kind)));
        Step { counts, ..step.at(t.at).text(verdict).tone(tone) }
    };
    touches.iter().map(step).collect()
}

//! The payers of one payout: one, but for Wise, where a file holds either e-mail addresses or accounts.

use std::sync::Arc;

use super::payer::Payer;
use super::wise::Template;
use crate::payout_details::{Details, WiseRecipient};

/// The settings by which the lines of a payout are sent, each by one of them.
#[derive(Debug, Clone)]
pub struct Payers {
    all: Vec<Arc<Payer>>,
}

impl Payers {
    pub fn of(payer: Payer) -> Self {
        let all = match payer {
            Payer::Wise(wise) if wise.template != Template::Recipient => {
                let with = |template| {
                    let mut wise = wise.clone();
                    wise.template = template;
                    Payer::Wise(wise)
                };
                vec![with(Template::Email), with(Template::Account)]
            }
            other => vec![other],
        };
        Self { all: all.into_iter().map(Arc::new).collect() }
    }

    pub fn all(&self) -> &[Arc<Payer>] {
        &self.all
    }

    /// The number of the payer that sends to these details.
    pub fn place(&self, details: &Details) -> usize {
        usize::from(self.all.len() > 1 && matches!(details, Details::Wise(WiseRecipient::Account(_))))
    }

    pub fn to(&self, details: &Details) -> Option<&Payer> {
        self.all.get(self.place(details)).map(Arc::as_ref)
    }

    /// The end of a file's name, where several payers have files.
    pub fn suffix(&self, place: usize) -> &'static str {
        match self.all.get(place).map(Arc::as_ref) {
            Some(Payer::Wise(wise)) => wise.template.word(),
            _ => "",
        }
    }
}

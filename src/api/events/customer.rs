//! A customer signed up.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Incoming, Ready, Reply, agent, refused, unexpected};
use crate::api::field::{Line, PassedCode};
use crate::api::problem::Problem;
use crate::email::Email;
use crate::engine::SignUpOutcome;
use crate::id::{self, Kind};
use crate::intake::{Intake, RawProduct, RawSignUp};
use crate::object;

object! {
    /// A customer signed up for a product.
    pub struct CustomerCreated {
        /// Your business.
        business_id "businessId": Line<200>,
        /// The product they signed up for.
        product_id "productId": Line<200>,
        /// The address they registered with; it is what payments are matched by.
        customer_email "customerEmail": Email,
        /// Their full name.
        customer_name "customerName": Line<200>,
        /// The code they brought, as in the cookie `refairn_code`. A code that does not count never fails the
        /// call.
        referral_code "referralCode": Option<PassedCode>,
        /// Beyond Refairn's: who is known by phone only is found by it.
        customer_phone "customerPhone": Option<Line<60>>,
    }
}

/// The answer to a sign-up that was recorded.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerAnswer {
    /// Always true.
    success: bool,
    /// The lead this customer is.
    lead_id: String,
    /// The referrer; null when none counts.
    agent_id: Option<String>,
    /// Always `first_touch`.
    attribution: &'static str,
    /// The result, as a sentence.
    message: String,
}

/// 409: this sign-up was recorded before.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomerConflict {
    /// Always false.
    success: bool,
    /// Always `duplicate_event`.
    code: &'static str,
    /// The fault, as a sentence.
    message: &'static str,
    /// The lead of the first call.
    lead_id: String,
    /// The present referrer.
    agent_id: Option<String>,
    /// Always `first_touch`.
    attribution: &'static str,
}

impl Incoming for CustomerCreated {
    async fn ready(self, intake: Intake<'_>, _: Option<String>) -> Result<Ready, Problem> {
        let raw = RawSignUp {
            of: RawProduct { business: self.business_id.0, product: self.product_id.0 },
            email: self.customer_email,
            name: self.customer_name.0,
            phone: self.customer_phone.map(|phone| phone.0),
            code: self.referral_code.map(|code| code.0),
        };
        let sign_up = intake.sign_up(raw).await.map_err(|fault| refused(fault, "date"))?;
        Ok(Ready::new(sign_up, told, unexpected))
    }
}

fn told(outcome: SignUpOutcome) -> Result<Reply, Problem> {
    match outcome {
        SignUpOutcome::Recorded { lead_id, referrer_id, refused, .. } => {
            let message = match (referrer_id, refused) {
                (Some(_), _) => "Customer recorded and attributed to agent.".to_owned(),
                (None, Some(why)) => format!("Customer recorded without attribution: {}.", why.sentence()),
                (None, None) => "Customer recorded without attribution.".to_owned(),
            };
            let lead_id = id::render(Kind::Lead, lead_id.0);
            let agent_id = agent(referrer_id);
            Reply::ok(&CustomerAnswer { success: true, lead_id, agent_id, attribution: "first_touch", message })
        }
        SignUpOutcome::Duplicate { lead_id, referrer_id } => Reply::conflict(&CustomerConflict {
            success: false,
            code: "duplicate_event",
            message: "This customer was recorded before.",
            lead_id: id::render(Kind::Lead, lead_id.0),
            agent_id: agent(referrer_id),
            attribution: "first_touch",
        }),
    }
}

//! The rules under which referral codes may be used at Stripe. Stripe's codes cannot be edited: another rule makes other
//! codes, and the digest of rules and coupon says which codes are of which.

use serde::{Deserialize, Serialize};

use super::amount;
use super::client::Form;
use crate::clock::{Day, Zone};
use crate::id;
use crate::money::{Currency, Money};

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Only a customer's first order.
    #[serde(default)]
    pub first_order: bool,
    /// The uses of each code, at most.
    #[serde(default)]
    pub most_uses: Option<i64>,
    /// The last day on which a code may be used.
    #[serde(default)]
    pub last_day: Option<Day>,
    /// The least order: minor units and currency.
    #[serde(default)]
    pub least: Option<(i64, String)>,
    /// A code that was renamed stays in use at Stripe.
    #[serde(default)]
    pub keeps_renamed: bool,
}

impl Rules {
    pub fn read(stored: &str) -> Self {
        serde_json::from_str(stored).unwrap_or_default()
    }

    pub fn stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn least_order(&self) -> Option<Money> {
        let (minor, code) = self.least.as_ref()?;
        Some(Money { minor: *minor, currency: Currency::parse(code).ok()? })
    }

    /// Names the rules with the coupon they are for.
    pub fn digest(&self, coupon: &str) -> String {
        let made = Self { keeps_renamed: false, ..self.clone() };
        let mut digest = id::sha256_hex(&format!("{coupon}|{}", made.stored()));
        digest.truncate(16);
        digest
    }

    /// As Stripe takes them for a new code; a last day ends with the business's midnight.
    pub fn put(&self, form: &mut Form, zone: Zone) {
        if self.first_order {
            form.push(("restrictions[first_time_transaction]".into(), "true".into()));
        }
        if let Some(most) = self.most_uses {
            form.push(("max_redemptions".into(), most.to_string()));
        }
        if let Some(day) = self.last_day {
            form.push(("expires_at".into(), zone.start_of(day.plus_days(1)).seconds().to_string()));
        }
        if let Some(least) = self.least_order()
            && let Some(amount) = amount::of_minor(least.minor, least.currency)
        {
            form.push(("restrictions[minimum_amount]".into(), amount.to_string()));
            form.push(("restrictions[minimum_amount_currency]".into(), least.currency.code().to_lowercase()));
        }
    }

    /// What they say, a line each.
    pub fn sentences(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.first_order {
            lines.push("Only for a customer’s first order.".to_owned());
        }
        if let Some(most) = self.most_uses {
            lines.push(if most == 1 {
                "Each code once.".to_owned()
            } else {
                format!("Each code at most {most} times.")
            });
        }
        if let Some(day) = self.last_day {
            lines.push(format!("Until {}.", day.shown()));
        }
        if let Some(least) = self.least_order() {
            lines.push(format!("For orders of at least {}.", least.shown()));
        }
        if self.keeps_renamed {
            lines.push("A code that was renamed stays in use.".to_owned());
        }
        lines
    }
}

//! The fields of a version of terms, wherever it is made: with a product, or for one.

use crate::amounts::Amounts;
use crate::money::Currency;
use crate::products::{Limit, NewTerms, Pays};
use crate::web::{Choice, Form};

/// The text of a form that starts from a version.
pub fn fill(form: &mut Form, terms: &NewTerms, currency: Currency) {
    for (name, pays) in [("referral", &terms.referral), ("recurring", &terms.recurring)] {
        match pays {
            Pays::Percent(rate) => {
                form.set(&format!("{name}_kind"), "percent");
                form.set(&format!("{name}_rate"), rate.shown().trim_end_matches(" %"));
            }
            Pays::Flat(map) => {
                let amounts = Amounts::from_codes(map);
                form.set(&format!("{name}_kind"), "flat");
                form.set(&format!("{name}_flat"), amounts.get(currency).map(|m| m.plain()).unwrap_or_default());
                form.set(&format!("{name}_flat_other"), amounts.lines_without(currency));
            }
        }
    }
    let (limit, count) = match terms.limit {
        Limit::None => ("none", 0),
        Limit::Months(n) => ("months", n),
        Limit::Payments(n) => ("payments", n),
    };
    form.set("limit", limit);
    form.set("limit_count", if count > 0 { count.to_string() } else { String::new() });
    form.set("hold_days", terms.hold_days.to_string());
}

/// Reads the version, without its date.
pub fn read(form: &mut Form, currency: Currency) -> Option<NewTerms> {
    let referral = line(form, "referral", "The commission on the first payment", currency);
    let recurring = line(form, "recurring", "The commission on later payments", currency);
    let limit = match form.value("limit").to_owned().as_str() {
        "" | "none" => Some(Limit::None),
        "months" => form.number("limit_count", "The number of months", 1, 1200).map(Limit::Months),
        "payments" => form.number("limit_count", "The number of payments", 1, 1200).map(Limit::Payments),
        _ => {
            form.fail("limit", "The limit is not one of the choices.");
            None
        }
    };
    let hold_days = form.number("hold_days", "The hold", 0, 3650);
    Some(NewTerms {
        valid_from: None,
        referral: referral?,
        recurring: recurring?,
        limit: limit?,
        hold_days: hold_days?,
    })
}

fn line(form: &mut Form, name: &str, label: &str, currency: Currency) -> Option<Pays> {
    match form.value(&format!("{name}_kind")) {
        "" | "percent" => form.rate(&format!("{name}_rate"), label).map(Pays::Percent),
        "flat" => {
            let field = format!("{name}_flat");
            let amounts = form.amounts(&field, label, currency)?;
            if amounts.is_empty() {
                form.fail(&field, format!("{label} is missing. Write 0 for nothing."));
                return None;
            }
            Some(Pays::Flat(amounts.codes()))
        }
        _ => {
            form.fail(&format!("{name}_kind"), format!("{label} is a percentage or flat."));
            None
        }
    }
}

/// The two ways in which a line pays.
pub fn kinds() -> Vec<Choice> {
    Choice::list([("percent", "A percentage of the payment"), ("flat", "A flat amount per payment")], "percent")
}

/// The bound on later payments that earn.
pub fn limits() -> Vec<Choice> {
    Choice::list(
        [
            ("none", "As long as payments come"),
            ("months", "For a number of months after the first payment"),
            ("payments", "For a number of payments after the first"),
        ],
        "none",
    )
}

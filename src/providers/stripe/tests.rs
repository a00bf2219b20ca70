use serde_json::json;

use super::amount::minor;
use super::signature::check;
use crate::clock::Instant;
use crate::money::Currency;
use crate::providers::signature::Refused;

/// Made by Stripe's own library.
#[test]
fn a_signature_of_stripe_s_library_fits() {
    let body = br#"{"id":"evt_1TestRefdesk","object":"event","type":"invoice.paid"}"#;
    let secret = ["whsec_test_refdesk_0123456789abcdef".to_owned()];
    let mac = "131607c9264f4d87d9333c6de6f848a54de370997883f8769e30d87895d861ec";
    let at = |seconds: i64| Instant::from_micros(seconds * 1_000_000);
    let header = format!("t=1893456000,v1={mac}");
    assert_eq!(check(Some(&header), body, &secret, at(1_893_456_000)), Ok(()));
    assert_eq!(check(Some(&header), body, &secret, at(1_893_456_300)), Ok(()));
    assert_eq!(check(Some(&header), body, &secret, at(1_893_456_301)), Err(Refused::Old));
    assert_eq!(check(Some(&header), body, &secret, at(1)), Ok(()), "a clock that is behind loses nothing");
    assert_eq!(check(Some(&header), b"{}", &secret, at(1)), Err(Refused::Wrong));
    for header in [None, Some(""), Some("t=,v1="), Some("v1=00"), Some("t=x,v1=00")] {
        assert!(check(header, body, &secret, at(1)).is_err(), "{header:?}");
    }
    assert_eq!(check(Some("t=1893456000,v0=131607"), body, &secret, at(1)), Err(Refused::Wrong));
    assert_eq!(check(Some(&header), body, &[String::new()], at(1)), Err(Refused::Wrong));
}

#[test]
fn amounts_are_counted_as_iso_4217_does() {
    let of = |amount, code: &str| minor(amount, Currency::parse(code).unwrap());
    assert_eq!(of(1999, "USD"), Some(1999));
    assert_eq!(of(1999, "JPY"), Some(1999));
    assert_eq!(of(1250, "KWD"), Some(1250));
    assert_eq!(of(500, "MGA"), Some(50_000));
    assert_eq!(of(50_000, "UGX"), Some(500));
    assert_eq!(of(50_000, "ISK"), Some(500));
    assert_eq!(of(50_050, "ISK"), None);
    assert_eq!(of(i64::MAX, "MGA"), None);
}

/// Shapes of earlier versions of the API name the same payment.
#[test]
fn an_invoice_of_2024_names_its_charge_and_intent() {
    let event = json!({
        "id": "evt_1", "type": "invoice.payment_succeeded", "created": 1_700_000_000,
        "data": { "object": {
            "id": "in_1", "charge": "ch_1", "payment_intent": "pi_1", "currency": "eur", "amount_paid": 1190,
            "total": 1190, "tax": 190, "customer": "cus_1", "customer_email": "amy@example.com",
            "discount": { "id": "di_1", "promotion_code": "promo_1" },
        } },
    });
    let told = super::read(&event).unwrap();
    let names: Vec<String> = told.names.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["invoice:in_1", "charge:ch_1", "intent:pi_1"]);
    let text = format!("{told:?}");
    assert!(text.contains("Promotion(\"promo_1\")") && text.contains("tax: 190"), "{text}");
}

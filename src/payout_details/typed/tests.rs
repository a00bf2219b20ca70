use super::*;

fn of(method: Method, typed: &[(&str, &'static str)]) -> Result<Details, Vec<Wrong>> {
    let value = |name: &str| typed.iter().find(|(field, _)| *field == name).map_or("", |(_, text)| *text);
    read(method, &value, "KE")
}

fn whys(method: Method, typed: &[(&str, &'static str)]) -> Vec<(&'static str, String)> {
    of(method, typed).unwrap_err().into_iter().map(|wrong| (wrong.field, wrong.why)).collect()
}

fn fields(method: Method, typed: &[(&str, &'static str)]) -> Vec<&'static str> {
    whys(method, typed).into_iter().map(|(field, _)| field).collect()
}

#[test]
fn each_method_reads_its_own_fields() {
    for (method, typed, masked) in [
        (Method::Paypal, vec![("paypal_email", " jane@example.com ")], "j•••@example.com"),
        (Method::Paypal, vec![("paypal_phone", "0722 000 001")], "•••• 0001"),
        (Method::Paypal, vec![("paypal_payer_id", "5u3dmj7kn2tq9")], "•••• 2TQ9"),
        (Method::Wise, vec![("account_holder", "Jane"), ("wise_email", "jane@example.com")], "j•••@example.com"),
        (
            Method::Wise,
            vec![("account_holder", "Jane"), ("wise_currency", "eur"), ("iban", "DE89 3704 0044 0532 0130 00")],
            "DE89 •••• 3000",
        ),
        (
            Method::Wise,
            vec![
                ("account_holder", "Jane"),
                ("wise_currency", "GBP"),
                ("sort_code", "23-14-70"),
                ("account_number", "2834 5678"),
            ],
            "GBP •••• 78",
        ),
        (
            Method::Wise,
            vec![
                ("account_holder", "Jane"),
                ("wise_currency", "AUD"),
                ("bsb_code", "062-000"),
                ("account_number", "123456789"),
            ],
            "AUD •••• 789",
        ),
        (
            Method::Wise,
            vec![
                ("account_holder", "Jane"),
                ("wise_currency", "US dollar"),
                ("routing_number", "021000021"),
                ("account_number", "000123456789"),
                ("account_type", "Checking"),
                ("address_line", "1 Main St"),
                ("town", "Springfield"),
                ("postcode", "62701"),
            ],
            "USD •••• 6789",
        ),
        (
            Method::Bank,
            vec![("account_holder", "Jane Ng"), ("iban", "de89370400440532013000"), ("bic", "cobadeffxxx")],
            "DE89 •••• 3000",
        ),
        (
            Method::Bank,
            vec![
                ("account_holder", "Jane Ng"),
                ("bank_country", "Kenya"),
                ("account_number", "0100 0001 23456"),
                ("routing_number", "01-109"),
            ],
            "KE •••• 3456",
        ),
        (
            Method::Bank,
            vec![
                ("account_holder", "Jane Ng"),
                ("bank_country", "GB"),
                ("account_number", "28345678"),
                ("routing_number", "23 14 70"),
            ],
            "GB •••• 78",
        ),
        (Method::Hand, vec![("instructions", "Voucher at the front desk\nask for Tom")], "by hand"),
    ] {
        let details = of(method, &typed).unwrap_or_else(|wrong| panic!("{typed:?}: {wrong:?}"));
        assert_eq!(details.method(), method);
        assert_eq!(details.masked(), masked);
        let stored = serde_json::to_string(&details).unwrap();
        assert_eq!(serde_json::from_str::<Details>(&stored).unwrap(), details);
        let shown = format!("{details:?}");
        for (_, text) in typed.iter().filter(|(field, _)| !["wise_currency", "bank_country"].contains(field)) {
            assert!(!shown.contains(text.trim()), "{shown}");
        }
    }
}

#[test]
fn nothing_that_holds_a_number_prints_it() {
    let Details::Bank(account) =
        of(Method::Bank, &[("account_holder", "Jane Ng"), ("iban", "DE89370400440532013000"), ("town", "Bonn")])
            .unwrap()
    else {
        panic!("no account")
    };
    assert_eq!(account.country, "DE");
    let shown = format!("{account:?} {:?} {:?}", account.number, account.address);
    assert_eq!(shown, "BankAccount(•••) AccountNumber(•••) Some(Address(•••))");
}

#[test]
fn the_country_comes_from_the_iban() {
    let german = ("iban", "DE89370400440532013000");
    let french = ("iban", "FR1420041010050500013M02606");
    let holder = ("account_holder", "Jane Ng");
    let wrong = whys(Method::Bank, &[holder, german, ("bank_country", "FR")]);
    assert_eq!(wrong, [("bank_country", "The country is France, but the IBAN is of Germany.".to_owned())]);
    assert!(of(Method::Bank, &[holder, french, ("bank_country", "RE")]).is_ok());
    let wrong =
        fields(Method::Bank, &[holder, ("bank_country", "DE"), ("account_number", "123"), ("routing_number", "1")]);
    assert_eq!(wrong, ["iban"]);
}

#[test]
fn a_refusal_names_every_field_and_no_number() {
    assert_eq!(fields(Method::Bank, &[]), ["account_holder", "iban"]);
    assert_eq!(fields(Method::Bank, &[("bank_country", "KE")]), ["account_holder", "account_number"]);
    assert_eq!(fields(Method::Bank, &[("account_number", "12345678")]), ["account_holder", "bank_country"]);
    assert_eq!(fields(Method::Wise, &[]), ["account_holder", "wise_email"]);
    assert_eq!(fields(Method::Wise, &[("account_holder", "J"), ("wise_currency", "KES")]), ["wise_currency"]);
    assert_eq!(
        fields(Method::Wise, &[("account_holder", "J"), ("wise_currency", "USD")]),
        ["routing_number", "account_number", "account_type", "town", "address_line", "postcode"]
    );
    assert_eq!(fields(Method::Paypal, &[]), ["paypal_email"]);
    assert_eq!(
        fields(Method::Paypal, &[("paypal_email", "jane@example.com"), ("paypal_phone", "0722 000 001")]),
        ["paypal_phone"]
    );
    assert_eq!(fields(Method::Hand, &[("instructions", " ")]), ["instructions"]);
    let both = [("account_holder", "J"), ("iban", "DE89370400440532013000"), ("account_number", "12345678")];
    assert_eq!(fields(Method::Bank, &both), ["account_number"]);
    let all = [
        ("account_holder", "Jane"),
        ("iban", "DE89370400440532013009"),
        ("bic", "COBADEFF1"),
        ("routing_number", "021000022"),
        ("account_number", "99887766554433221100"),
        ("wise_currency", "USD"),
    ];
    for (field, why) in
        whys(Method::Bank, &all[..3]).into_iter().chain(whys(Method::Wise, &[all[0], all[3], all[4], all[5]]))
    {
        assert!(!why.contains("DE89370400440532013009") && !why.contains("99887766554433221100"), "{field}: {why}");
    }
}

#[test]
fn the_method_is_seen_from_the_fields() {
    let of = |field: &'static str| method_of(&move |name: &str| if name == field { "x" } else { " " });
    assert_eq!(of("paypal_phone"), Some(Method::Paypal));
    assert_eq!(of("wise_email"), Some(Method::Wise));
    assert_eq!(of("iban"), Some(Method::Bank));
    assert_eq!(of("instructions"), Some(Method::Hand));
    assert_eq!(of("town"), None);
}

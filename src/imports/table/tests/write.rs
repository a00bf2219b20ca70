//! Back into CSV.

use super::*;

#[test]
fn cells_that_a_spreadsheet_would_run_get_an_apostrophe() {
    for cell in [
        "=1+1",
        "+1-1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\0=1",
        " =1",
        "\";=1",
        ";=cmd",
        "＝1",
        "−1",
        "+",
        "+ 1",
        "+254 (0)722",
        "+254-722",
    ] {
        assert_eq!(sanitise_for_spreadsheet(cell), format!("'{cell}"));
        assert_eq!(as_it_was(&format!("'{cell}")), cell);
        let marked = format!("'{cell}");
        assert_eq!(as_it_was(&sanitise_for_spreadsheet(&marked)), marked, "an apostrophe of its own");
    }
    for cell in ["", "Jane", "+254722000001", "+254 722 000 001", "a=b", "jane@x.com", " Jane", "\"quoted\""] {
        assert_eq!(sanitise_for_spreadsheet(cell), cell);
    }
}

#[test]
fn rows_are_written_by_rfc_4180() {
    let mut out = Vec::new();
    write_csv_row(&mut out, &["a", "b c", "d,e", "f\"g", "h\ni", "", " j"]).unwrap();
    write_csv_row(&mut out, &[""]).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "a,b c,\"d,e\",\"f\"\"g\",\"h\ni\",,\" j\"\r\n\"\"\r\n");
}

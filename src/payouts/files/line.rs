//! Our id of a line in the outside world. Banks take no underscore, so `line_0d3k` travels as `line-0d3k`; an id of ours has
//! no dash, so the way back is clear.

/// The id as a bank or Wise takes it.
pub(in crate::payouts) fn sent(line: &str) -> String {
    line.replace('_', "-")
}

/// An id as it was before it was sent; banks may send it back in capitals.
pub(in crate::payouts) fn returned(text: &str) -> String {
    text.trim().to_ascii_lowercase().replace('-', "_")
}

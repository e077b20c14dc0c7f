//! Traces in headers: W3C `traceparent`, and B3 as one header (`b3`) or several (`X-B3-TraceId` …). All are read; all are
//! written, so that whatever stands between two processes knows one of them.
//! Source: W3C "Trace Context" (2021); openzipkin/b3-propagation.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::ids::{SpanId, TraceId};

/// W3C's.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// B3 in one.
const B3: HeaderName = HeaderName::from_static("b3");
/// B3 in several.
pub const B3_TRACE: HeaderName = HeaderName::from_static("x-b3-traceid");
const B3_SPAN: HeaderName = HeaderName::from_static("x-b3-spanid");
const B3_SAMPLED: HeaderName = HeaderName::from_static("x-b3-sampled");
const B3_FLAGS: HeaderName = HeaderName::from_static("x-b3-flags");

/// A span of a trace, as one process names it to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Which trace.
    pub trace: TraceId,
    /// Which span of it; nothing where a sender names only the trace.
    pub span: Option<SpanId>,
    /// Whether it is kept; nothing where that was not decided.
    pub sampled: Option<bool>,
}

/// What a caller said of its trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Heard {
    /// Nothing.
    #[default]
    Nothing,
    /// Not to trace this (`b3: 0` without a trace).
    Untraced,
    /// To trace this (`b3: 1` without a trace).
    Wanted,
    /// The span that it calls from.
    Link(Link),
}

impl Link {
    /// Reads a `traceparent`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let lower = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let later_version = version != "00";
        let known = version.len() == 2 && version != "ff" && trace.len() == 32 && flags.len() == 2;
        if !known || ![version, trace, span, flags].into_iter().all(lower) || (parts.next().is_some() && !later_version)
        {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(Self { trace: TraceId::parse(trace)?, span: Some(SpanId::parse(span)?), sampled: Some(flags & 1 == 1) })
    }

    /// As a `traceparent`.
    #[must_use]
    pub fn traceparent(&self) -> String {
        // A span is required; one that does not exist makes its children the first of the trace.
        let span = self.span.unwrap_or_else(SpanId::random);
        format!("00-{}-{span}-0{}", self.trace, u8::from(self.sampled == Some(true)))
    }
}

/// What `headers` say of a trace. What is not understood counts as not there.
#[must_use]
pub fn read(headers: &HeaderMap) -> Heard {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(link) = text(&TRACEPARENT).and_then(Link::parse) {
        return Heard::Link(link);
    }
    if let Some(heard) = text(&B3).and_then(single) {
        return heard;
    }
    let debug = text(&B3_FLAGS) == Some("1");
    let sampled = if debug { Some(true) } else { text(&B3_SAMPLED).and_then(sampled) };
    match text(&B3_TRACE).and_then(TraceId::parse) {
        Some(trace) => Heard::Link(Link { trace, span: text(&B3_SPAN).and_then(SpanId::parse), sampled }),
        None => alone(sampled),
    }
}

fn sampled(text: &str) -> Option<bool> {
    match text {
        "1" | "d" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

fn alone(sampled: Option<bool>) -> Heard {
    match sampled {
        Some(true) => Heard::Wanted,
        Some(false) => Heard::Untraced,
        None => Heard::Nothing,
    }
}

/// `{trace}-{span}`, `{trace}-{span}-{sampled}` and `{trace}-{span}-{sampled}-{parent}`, or `{sampled}` alone.
fn single(text: &str) -> Option<Heard> {
    let mut parts = text.trim().split('-');
    let first = parts.next()?;
    let Some(span) = parts.next() else { return sampled(first).map(|flag| alone(Some(flag))) };
    let link = Link {
        trace: TraceId::parse(first)?,
        span: Some(SpanId::parse(span)?),
        sampled: parts.next().and_then(sampled),
    };
    Some(Heard::Link(link))
}

/// Writes `link` into `headers`, in place of what stood there.
pub fn write(headers: &mut HeaderMap, link: &Link) {
    let link = Link { span: Some(link.span.unwrap_or_else(SpanId::random)), ..*link };
    let (trace, span) = (link.trace.to_string(), link.span.map(|span| span.to_string()).unwrap_or_default());
    put(headers, TRACEPARENT, &link.traceparent());
    let flag = link.sampled.map(|sampled| if sampled { "1" } else { "0" });
    put(headers, B3, &flag.map_or_else(|| format!("{trace}-{span}"), |flag| format!("{trace}-{span}-{flag}")));
    put(headers, B3_TRACE, &trace);
    put(headers, B3_SPAN, &span);
    headers.remove(B3_FLAGS);
    match flag {
        Some(flag) => put(headers, B3_SAMPLED, flag),
        None => drop(headers.remove(B3_SAMPLED)),
    }
}

/// Tells the other side not to trace what comes.
pub fn write_untraced(headers: &mut HeaderMap) {
    headers.insert(B3, HeaderValue::from_static("0"));
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    const TRACE: &str = "463ac35c9f6413ad48485a3953bb6124";
    const SPAN: &str = "a2fb4a1d1a96d312";

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    fn link(sampled: Option<bool>) -> Heard {
        Heard::Link(Link { trace: TraceId::parse(TRACE).unwrap(), span: SpanId::parse(SPAN), sampled })
    }

    #[test]
    fn each_way_of_writing_a_trace_is_read() {
        let parent = format!("00-{TRACE}-{SPAN}-01");
        assert_eq!(read(&headers(&[("traceparent", &parent)])), link(Some(true)));
        assert_eq!(read(&headers(&[("b3", &format!("{TRACE}-{SPAN}"))])), link(None));
        assert_eq!(read(&headers(&[("b3", &format!("{TRACE}-{SPAN}-0-05e3ac9a4f6e3b90"))])), link(Some(false)));
        assert_eq!(read(&headers(&[("b3", &format!("{TRACE}-{SPAN}-d"))])), link(Some(true)));
        let several = [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "1")];
        assert_eq!(read(&headers(&several)), link(Some(true)));
        assert_eq!(
            read(&headers(&[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")])),
            link(Some(true))
        );
        assert_eq!(read(&headers(&[("b3", "0")])), Heard::Untraced);
        assert_eq!(read(&headers(&[("x-b3-sampled", "1")])), Heard::Wanted);
        let Heard::Link(old) = read(&headers(&[("x-b3-traceid", SPAN)])) else { panic!("64 bits are a trace too") };
        assert_eq!(old.trace.to_string(), format!("{:0>32}", SPAN));
    }

    #[test]
    fn what_is_no_trace_is_passed_over_for_what_is_one() {
        for bad in [
            "",
            "00-0-0-0",
            &format!("00-{}-{SPAN}-01", "0".repeat(32)),
            &format!("ff-{TRACE}-{SPAN}-01"),
            &format!("00-{TRACE}-{SPAN}-01-x"),
            &format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
        ] {
            assert_eq!(read(&headers(&[("traceparent", bad)])), Heard::Nothing, "{bad}");
            assert_eq!(read(&headers(&[("traceparent", bad), ("b3", &format!("{TRACE}-{SPAN}-1"))])), link(Some(true)));
        }
        // A later version may say more.
        assert_eq!(read(&headers(&[("traceparent", &format!("01-{TRACE}-{SPAN}-01-more"))])), link(Some(true)));
    }

    proptest! {
        #[test]
        fn a_link_is_read_as_it_was_written(trace in 1_u128.., span in 1_u64.., sampled in option::of(any::<bool>()), only in 0..3) {
            let given = Link {
                trace: TraceId::parse(&format!("{trace:032x}")).unwrap(),
                span: SpanId::parse(&format!("{span:016x}")),
                sampled,
            };
            let mut written = HeaderMap::new();
            write(&mut written, &given);
            if only != 0 {
                written.remove(TRACEPARENT);
            }
            if only == 2 {
                written.remove(B3);
            }
            let sampled = if only == 0 { Some(sampled == Some(true)) } else { sampled };
            prop_assert_eq!(read(&written), Heard::Link(Link { sampled, ..given }));
        }

        #[test]
        fn any_headers_are_read_or_passed_over(texts in proptest::collection::vec("[ -~]{0,80}", 6)) {
            let names = [TRACEPARENT, B3, B3_TRACE, B3_SPAN, B3_SAMPLED, B3_FLAGS];
            let headers = names.into_iter().zip(texts).map(|(name, text)| (name, text.parse().unwrap())).collect();
            let _ = read(&headers);
        }
    }
}

//! A task's key: what its output depends on, hashed. Two tasks of one key make the same output.
//!
//! The hash is BLAKE3 over the JSON text `[type, tool, params, [[name, key], …]]`, where objects have their members
//! sorted by name and dependencies are sorted by name. Neither the workflow, nor the task's own name, nor how it is to be
//! run (pool, rank, retries) is part of it.

use std::fmt::Write;

use serde_json::Value;

/// The key, in hex. `params` is JSON (an empty text is `{}`); `inputs` are the dependencies' names and keys.
///
/// Fails where `params` is not JSON.
pub fn output_key(
    task_type: &str,
    tool: &str,
    params: &str,
    inputs: &[(String, String)],
) -> Result<String, serde_json::Error> {
    let params: Value =
        if params.is_empty() { Value::Object(serde_json::Map::new()) } else { serde_json::from_str(params)? };
    let mut inputs = inputs.to_vec();
    inputs.sort();
    let whole = serde_json::json!([task_type, tool, params, inputs]);
    let mut text = String::new();
    write_canonical(&whole, &mut text);
    Ok(blake3::hash(text.as_bytes()).to_hex().to_string())
}

fn write_canonical(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_canonical(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| name.as_str());
            text.push('{');
            for (at, (name, member)) in sorted.into_iter().enumerate() {
                if at > 0 {
                    text.push(',');
                }
                write_canonical(&Value::String(name.clone()), text);
                text.push(':');
                write_canonical(member, text);
            }
            text.push('}');
        }
        scalar => write!(text, "{scalar}").expect("writing to a String can't fail"),
    }
}

#[cfg(test)]
mod tests {
    use super::output_key;

    fn key(params: &str, inputs: &[(&str, &str)]) -> String {
        let inputs: Vec<_> = inputs.iter().map(|(n, k)| ((*n).to_owned(), (*k).to_owned())).collect();
        output_key("encode", "ffmpeg 9", params, &inputs).unwrap()
    }

    #[test]
    fn the_order_of_members_and_inputs_does_not_matter() {
        let one = key(r#"{"a":1,"b":{"x":[1,2],"y":null}}"#, &[("a", "11"), ("b", "22")]);
        let two = key(r#"{ "b": {"y":null, "x":[1,2]}, "a":1 }"#, &[("b", "22"), ("a", "11")]);
        assert_eq!(one, two);
    }

    #[test]
    fn everything_that_shapes_the_output_matters() {
        let base = key(r#"{"a":1}"#, &[("a", "11")]);
        assert_ne!(base, key(r#"{"a":2}"#, &[("a", "11")]));
        assert_ne!(base, key(r#"{"a":1}"#, &[("a", "12")]));
        assert_ne!(base, key(r#"{"a":1}"#, &[]));
        assert_ne!(base, output_key("encode", "ffmpeg 10", r#"{"a":1}"#, &[("a".into(), "11".into())]).unwrap());
        assert_eq!(key("", &[]), key("{}", &[]));
    }
}

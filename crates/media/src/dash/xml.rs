//! XML elements, written with every value escaped.

use std::fmt::{Display, Write};

/// An element under construction.
#[derive(Debug)]
pub struct Element {
    name: &'static str,
    attributes: String,
    text: String,
    children: Vec<Self>,
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: String::new(), text: String::new(), children: Vec::new() }
    }

    pub fn attr(mut self, name: &str, value: impl Display) -> Self {
        let value = escaped(&value.to_string());
        write!(self.attributes, " {name}=\"{value}\"").expect("a String takes every write");
        self
    }

    pub fn text(mut self, text: &str) -> Self {
        self.text = escaped(text);
        self
    }

    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    pub fn children(mut self, children: Vec<Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The element as a whole document, indented.
    pub fn document(&self) -> String {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.write(&mut out, 0);
        out
    }

    fn write(&self, out: &mut String, depth: usize) {
        let Self { name, attributes, text, children } = self;
        let indent = "  ".repeat(depth);
        write!(out, "{indent}<{name}{attributes}").expect("a String takes every write");
        if children.is_empty() && text.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push('>');
        out.push_str(text);
        if !children.is_empty() {
            out.push('\n');
            for child in children {
                child.write(out, depth + 1);
            }
            out.push_str(&indent);
        }
        writeln!(out, "</{name}>").expect("a String takes every write");
    }
}

/// Markup as entities; characters that XML 1.0 can't hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' | '\r' => out.push(' '),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
    out
}

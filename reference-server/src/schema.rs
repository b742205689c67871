//! Checks values against JSON Schema: the keywords that this server's own schemas use, in the 2020-12 reading that
//! MCP takes as default (spec page `basic/index#json-schema-usage`). It is no general validator.

use serde_json::Value;

/// The first problem of `value` under `schema`, in words for the model that has to correct it.
#[must_use]
pub fn first_problem(schema: &Value, value: &Value) -> Option<String> {
    check(schema, schema, value, "arguments").err()
}

type Checked = Result<(), String>;

fn check(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    if schema == &Value::Bool(false) {
        return Err(format!("{path} is not allowed"));
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#')) {
        let target = root.pointer(target).ok_or_else(|| format!("{path}: dangling reference"))?;
        check(root, target, value, path)?;
    }
    check_type(schema, value, path)?;
    check_choice(schema, value, path)?;
    check_range(schema, value, path)?;
    check_object(root, schema, value, path)?;
    check_array(root, schema, value, path)?;
    check_combination(root, schema, value, path)
}

fn check_type(schema: &Value, value: &Value, path: &str) -> Checked {
    let Some(expected) = schema.get("type").and_then(Value::as_str) else { return Ok(()) };
    let fits = match expected {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        // 1.0 is an integer in JSON Schema.
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
        }
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("{path} must be of type {expected}")) }
}

fn check_choice(schema: &Value, value: &Value, path: &str) -> Checked {
    if let Some(wanted) = schema.get("const") {
        return if wanted == value { Ok(()) } else { Err(format!("{path} must be {wanted}")) };
    }
    match schema.get("enum").and_then(Value::as_array) {
        Some(choices) if !choices.contains(value) => {
            Err(format!("{path} must be one of {}", Value::Array(choices.clone())))
        }
        _ => Ok(()),
    }
}

fn check_range(schema: &Value, value: &Value, path: &str) -> Checked {
    let bound = |name| schema.get(name).and_then(Value::as_f64);
    if let Some(number) = value.as_f64() {
        if bound("minimum").is_some_and(|minimum| number < minimum) {
            return Err(format!("{path} is too small"));
        }
        if bound("maximum").is_some_and(|maximum| number > maximum) {
            return Err(format!("{path} is too large"));
        }
    }
    let length = |name| schema.get(name).and_then(Value::as_u64);
    if let Some(text) = value.as_str() {
        let characters = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if length("minLength").is_some_and(|minimum| characters < minimum) {
            return Err(format!("{path} is too short"));
        }
        if length("maxLength").is_some_and(|maximum| characters > maximum) {
            return Err(format!("{path} is too long"));
        }
    }
    Ok(())
}

fn check_object(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    {
        if !object.contains_key(name) {
            return Err(format!("{path}.{name} is required"));
        }
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, member) in object {
        if let Some(property) = properties.and_then(|properties| properties.get(name)) {
            check(root, property, member, &format!("{path}.{name}"))?;
        } else if let Some(additional) = schema.get("additionalProperties") {
            check(root, additional, member, &format!("{path}.{name}"))?;
        }
    }
    Ok(())
}

fn check_array(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) else { return Ok(()) };
    for (index, item) in items.iter().enumerate() {
        check(root, schema, item, &format!("{path}[{index}]"))?;
    }
    Ok(())
}

fn check_combination(root: &Value, schema: &Value, value: &Value, path: &str) -> Checked {
    let parts = |name| schema.get(name).and_then(Value::as_array);
    let fits = |part: &Value| check(root, part, value, path).is_ok();
    for part in parts("allOf").into_iter().flatten() {
        check(root, part, value, path)?;
    }
    if parts("anyOf").is_some_and(|parts| !parts.iter().any(fits)) {
        return Err(format!("{path} fits none of the alternatives"));
    }
    if parts("oneOf").is_some_and(|parts| parts.iter().filter(|part| fits(part)).count() != 1) {
        return Err(format!("{path} must fit exactly one of the alternatives"));
    }
    if let Some(condition) = schema.get("if") {
        let branch = if fits(condition) { schema.get("then") } else { schema.get("else") };
        if let Some(branch) = branch {
            check(root, branch, value, path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::first_problem;
    use serde_json::json;

    #[test]
    fn typed_arguments() {
        let schema = json!({"type":"object","properties":{"a":{"type":"integer"},"b":{"enum":["x"]}},
            "required":["a"],"additionalProperties":false});
        assert_eq!(first_problem(&schema, &json!({"a":1.0,"b":"x"})), None);
        for bad in
            [json!({}), json!({"a":1.5}), json!({"a":"1"}), json!({"a":1,"b":"y"}), json!({"a":1,"c":0})]
        {
            assert!(first_problem(&schema, &bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn references_and_conditions() {
        let schema = json!({"$defs":{"n":{"type":"number","minimum":0}},"type":"object",
            "properties":{"n":{"$ref":"#/$defs/n"}},"if":{"required":["n"]},"then":{"required":["m"]}});
        assert_eq!(first_problem(&schema, &json!({"n":1,"m":1})), None);
        assert!(first_problem(&schema, &json!({"n":-1,"m":1})).is_some());
        assert!(first_problem(&schema, &json!({"n":1})).is_some());
    }
}

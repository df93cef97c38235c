"""From rules to people: what is watched, what fires, who is told. Rules themselves are in cloud.rules."""

// Runs a piece of JavaScript of a recipe as n8n or Node-RED would: code and values come on stdin, the result goes to stdout.
const { code, values, memory } = JSON.parse(require("fs").readFileSync(0));
const scope = {
  $json: values.json,
  $input: { first: () => ({ json: values.json }), all: () => [{ json: values.json }] },
  $execution: { id: "231" },
  $getWorkflowStaticData: () => memory,
  msg: values.msg,
  env: { get: (name) => values.env[name] },
  flow: { get: (name) => memory[name], set: (name, value) => { memory[name] = value; } },
};
const result = new Function(...Object.keys(scope), code)(...Object.values(scope));
process.stdout.write(JSON.stringify({ result, memory }));

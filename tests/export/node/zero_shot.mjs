// Scores texts with transformers.js's own zero-shot-classification pipeline.
// usage: node zero_shot.mjs FOLDER < request.json > answers.json
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder] = process.argv.slice(2);
// The packages may lie elsewhere than beside this file.
const modules = process.env.LABELWISE_NODE_MODULES ?? path.join(import.meta.dirname, "node_modules");
const require = createRequire(path.join(modules, "anything.js"));
const { env, pipeline } = await import(pathToFileURL(require.resolve("@huggingface/transformers")));

env.allowRemoteModels = false;
env.localModelPath = path.dirname(folder) + path.sep;

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const { texts, labels, template, dtypes } = JSON.parse(Buffer.concat(chunks).toString("utf8"));

const answers = [];
for (const dtype of dtypes) {
  const classify = await pipeline("zero-shot-classification", path.basename(folder), { dtype });
  const scores = [];
  for (const text of texts) {
    const found = await classify(text, labels, { hypothesis_template: template });
    scores.push(Object.fromEntries(found.labels.map((label, place) => [label, found.scores[place]])));
  }
  answers.push(scores);
}
process.stdout.write(JSON.stringify(answers));

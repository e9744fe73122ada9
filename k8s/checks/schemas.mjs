// Holds custom resources against the types that their operators publish: `node schemas.mjs OBJECTS.json`, a list of objects.
//
// Two readings of the same Go types: TypeScript's compiler finds fields that do not exist, wrong enumerations and what is
// missing; the generated validators find what no type can say: patterns, ranges, lengths of lists. What a CRD says in CEL is
// checked by neither, only by a cluster.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;
const packages = {
  "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
  "gateway.envoyproxy.io": "@kubernetes-models/envoy-gateway",
  "monitoring.coreos.com": "@kubernetes-models/prometheus-operator",
};

const objects = JSON.parse(readFileSync(process.argv[2], "utf8")).map((object) => {
  const [group] = object.apiVersion.split("/");
  if (!(group in packages)) throw new Error(`nothing is known of ${object.apiVersion} ${object.kind}`);
  return { object, name: `${object.kind} ${object.metadata.name}`, module: `${packages[group]}/${object.apiVersion}` };
});

const faults = [...typeErrors(), ...(await broken())];
for (const fault of faults) console.error(fault);
if (faults.length) process.exit(1);
console.log(`${objects.length} custom resources are as their types say`);

// What the compiler says of each object, which it reads as a literal of the object's type.
function typeErrors() {
  const folder = mkdtempSync(join(tmpdir(), "schemas-"));
  try {
    symlinkSync(join(here, "node_modules"), join(folder, "node_modules"));
    const files = objects.map(({ object, module }, number) => {
      const file = `object${number}.ts`;
      const literal = JSON.stringify(object, null, 1);
      writeFileSync(join(folder, file), `import type { I${object.kind} } from "${module}";\nexport const object: I${object.kind} = ${literal};\n`);
      return file;
    });
    const compiler = join(here, "node_modules/typescript/bin/tsc");
    const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "esnext", "--pretty", "false"];
    execFileSync(process.execPath, [compiler, ...options, ...files], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    return [];
  } catch (error) {
    if (error.stdout === undefined) throw error;
    const named = (line) => line.replace(/^object(\d+)\.ts\(\d+,\d+\)/, (_, number) => objects[number].name);
    return error.stdout.trim().split("\n").map(named);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// What the validators say.
async function broken() {
  const faults = [];
  for (const { object, name, module } of objects) {
    const { [object.kind]: Model } = await import(module);
    try {
      new Model(object).validate();
    } catch (error) {
      faults.push(`${name}: ${error.message}`);
    }
  }
  return faults;
}

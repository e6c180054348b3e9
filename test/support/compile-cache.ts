// Loaded before every test file: the folder of compiled modules, as a full path, so that what a test spawns in
// another folder finds it too and makes none there.
import { resolve } from "node:path";

const folder = process.env["NODE_COMPILE_CACHE"];
if (folder !== undefined) process.env["NODE_COMPILE_CACHE"] = resolve(folder);

// The key manager in memory: the contract is all there is to it.
import t from "tap";
import { MemoryKeyManager } from "../../../server/keymanager/memory.ts";
import { keyManagerContract } from "../../contracts/key-manager.ts";

keyManagerContract(t, async () => ({ manager: new MemoryKeyManager() }), ["ec-p256", "ec-p384"]);

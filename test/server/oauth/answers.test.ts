// Answers of the token issuer in JSON: what a token says is told to the last digit.
import t from "tap";
import { json } from "../../../server/oauth/answers.ts";

t.test("integers beyond 2^53, as claims may be, are told exactly", async (t) => {
  const { body } = json(200, { active: true, count: 9_007_199_254_740_993n, list: [-(2n ** 64n)] });
  t.equal(
    Buffer.from(body ?? "").toString(),
    '{"active":true,"count":9007199254740993,"list":[-18446744073709551616]}',
  );
});

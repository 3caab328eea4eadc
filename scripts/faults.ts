/**
 * `npm run faults -- [--only name] …`: the fault table on the real three-broker cluster. Exit code 0: every row holds.
 */
import { Ground } from '../test/faults/ground.ts'
import { runFault } from '../test/faults/run.ts'
import { FAULTS } from '../test/faults/table.ts'

const only = process.argv[2]
const ground = await Ground.start()
try {
  for (const fault of FAULTS.filter(({ name }) => !only || name === only)) console.log(await runFault(ground, fault))
} finally {
  await ground.dispose()
}

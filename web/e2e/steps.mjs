/** Runs named steps in order; the name of the one that fails is part of the error. */
export async function runSteps(steps) {
  for (const [name, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      error.message = `${name}: ${error.message}`;
      throw error;
    }
  }
  return Object.keys(steps).length;
}

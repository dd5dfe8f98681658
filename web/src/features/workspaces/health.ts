import type { Workspace } from '../../api/types';

/** How it stands with a workspace: the first of these that is so, the one that a reader must act upon first. */
export type Health =
  /** Monitoring is off. */
  | 'off'
  /** The subscription's plan does not contain monitoring. */
  | 'not-in-plan'
  /** Monitoring is on, and there is nobody who could watch. */
  | 'no-machine'
  /** There are machines, and none of them is heard. */
  | 'silent'
  /** Some of the machines are not heard. */
  | 'partly-silent'
  /** Something is not watched, and somebody has to see to it. */
  | 'gaps'
  /** What is not watched yet is being looked at for the first time. */
  | 'first-baseline'
  /** All that the rules name is watched. */
  | 'watching';

type Known = Pick<Workspace, 'state' | 'machines' | 'machinesReporting' | 'openGaps' | 'pendingBaselines'>;

/** That monitoring is on says nothing of whether anybody watches: a silent machine must not pass for a healthy one. */
export function healthOf(workspace: Known): Health {
  const { state, machines, machinesReporting } = workspace;
  if (state === 'disabled') return 'off';
  if (state === 'upgrade') return 'not-in-plan';
  if (machines === 0) return 'no-machine';
  if (machinesReporting === 0) return 'silent';
  if (machinesReporting < machines) return 'partly-silent';
  if (troublesOf(workspace) > 0) return 'gaps';
  return workspace.pendingBaselines > 0 ? 'first-baseline' : 'watching';
}

/** The open gaps that do not end by themselves. */
export function troublesOf({
  openGaps,
  pendingBaselines,
}: Pick<Workspace, 'openGaps' | 'pendingBaselines'>): number {
  return Math.max(0, openGaps - pendingBaselines);
}

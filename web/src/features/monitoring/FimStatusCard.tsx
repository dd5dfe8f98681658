import { Button } from '@fluentui/react-components';
import './monitoring.css';
import type { FimStatus } from '../../api/types';
import { formatCount, formatInterval, formatQuantity } from '../../ui/format';
import { StatusDot } from '../../ui/StatusDot';
import { WithReason } from '../../ui/WithReason';

type Props = { status: FimStatus; refusal: string | undefined; onEnable(): void; onDisable(): void };

/** Whether monitoring is on, over how much, and the switch for it. */
export function FimStatusCard({ status, refusal, onEnable, onDisable }: Props) {
  const isOn = status.state === 'enabled';
  const { changed } = status.recommended;
  const { daemonsSeconds, softwareSeconds, inventorySeconds } = status.collection;
  const intervals = [
    ['Files', status.scanIntervalSeconds],
    ['Daemons, services', daemonsSeconds],
    ['Software', softwareSeconds],
    ['Inventory', inventorySeconds],
  ] as const;
  return (
    <section className="card fim-status" aria-label="Monitoring">
      <dl>
        <div>
          <dt>Monitoring</dt>
          <dd>{isOn ? <StatusDot tone="good">Enabled</StatusDot> : <StatusDot tone="off">Off</StatusDot>}</dd>
        </div>
        <div>
          <dt>Rules</dt>
          <dd>
            {status.rules.enabled} of {status.rules.total} enabled
            {changed.length > 0 && (
              <span className="muted" title={changed.join(', ')}>
                {' '}
                · {formatQuantity(changed.length, 'recommended item')} changed
              </span>
            )}
          </dd>
        </div>
        <div>
          <dt>Machines</dt>
          <dd>{formatCount(status.machines)}</dd>
        </div>
        {intervals.map(([name, seconds]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{typeof seconds === 'number' ? formatInterval(seconds) : 'off'}</dd>
          </div>
        ))}
      </dl>
      <WithReason reason={refusal}>
        {isOn ? (
          <Button disabled={refusal !== undefined} onClick={onDisable}>
            Disable…
          </Button>
        ) : (
          <Button appearance="primary" disabled={refusal !== undefined} onClick={onEnable}>
            Enable…
          </Button>
        )}
      </WithReason>
    </section>
  );
}

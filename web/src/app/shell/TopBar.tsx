import { Button, Tooltip } from '@fluentui/react-components';
import { Navigation24Regular, QuestionCircle20Regular } from '@fluentui/react-icons';
import { Link } from '@tanstack/react-router';
import type { RefObject } from 'react';
import { Logo } from '../../ui/Logo';
import { HeaderSearch } from './HeaderSearch';
import { ThemeMenu } from './ThemeMenu';
import { UserMenu } from './UserMenu';

type Props = {
  ws: string | undefined;
  searchRef: RefObject<HTMLInputElement | null>;
  isNavOpen: boolean;
  onToggleNav(): void;
  onHelp(): void;
};

export function TopBar({ ws, searchRef, isNavOpen, onToggleNav, onHelp }: Props) {
  return (
    <header className="top-bar">
      <Button
        className="nav-toggle"
        appearance="transparent"
        icon={<Navigation24Regular />}
        aria-label="Navigation"
        aria-expanded={isNavOpen}
        onClick={onToggleNav}
      />
      <Link to="/workspaces" className="brand">
        <Logo />
        <span>Steadfast</span>
      </Link>
      {ws === undefined ? <span className="grow" /> : <HeaderSearch key={ws} ws={ws} inputRef={searchRef} />}
      <div className="top-actions">
        <ThemeMenu />
        <Tooltip content="Keyboard shortcuts (?)" relationship="label">
          <Button
            className="wide-only"
            appearance="transparent"
            icon={<QuestionCircle20Regular />}
            onClick={onHelp}
          />
        </Tooltip>
        <UserMenu />
      </div>
    </header>
  );
}

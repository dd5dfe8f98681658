import {
  Avatar,
  Menu,
  MenuDivider,
  MenuGroup,
  MenuGroupHeader,
  MenuItem,
  MenuList,
  MenuPopover,
  MenuTrigger,
} from '@fluentui/react-components';
import { Key20Regular, SignOut20Regular } from '@fluentui/react-icons';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { api, done } from '../../api/client';
import { forgetSessionKey } from '../../api/sessionKey';
import { useSession } from '../../api/useSession';
import { PasswordDialog } from '../../features/session/PasswordDialog';

export function UserMenu() {
  const session = useSession();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const [isPasswordOpen, setPasswordOpen] = useState(false);
  const signOut = useMutation({
    mutationFn: () => done(api.DELETE('/api/v1/session')),
    onSuccess: async () => {
      forgetSessionKey();
      await navigate({ to: '/login' });
      queryClient.clear();
    },
  });
  return (
    <>
      <Menu>
        <MenuTrigger disableButtonEnhancement>
          <button type="button" className="avatar-button" aria-label={`Account of ${session.user.name}`}>
            <Avatar name={session.user.name} size={28} color="brand" aria-hidden />
          </button>
        </MenuTrigger>
        <MenuPopover>
          <MenuList>
            <MenuGroup>
              <MenuGroupHeader>
                {session.user.name} · {session.roles.join(', ') || 'no role'}
              </MenuGroupHeader>
              <MenuDivider />
              <MenuItem icon={<Key20Regular />} onClick={() => setPasswordOpen(true)}>
                {session.mustSetPassword ? 'Set a password…' : 'Change password…'}
              </MenuItem>
              <MenuItem icon={<SignOut20Regular />} onClick={() => signOut.mutate()}>
                Sign out
              </MenuItem>
            </MenuGroup>
          </MenuList>
        </MenuPopover>
      </Menu>
      {isPasswordOpen && (
        <PasswordDialog asksCurrent={session.asksCurrentPassword} onClose={() => setPasswordOpen(false)} />
      )}
    </>
  );
}

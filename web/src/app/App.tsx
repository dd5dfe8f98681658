import { FluentProvider, Toaster } from '@fluentui/react-components';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useMemo } from 'react';
import { darkTheme, lightTheme, ThemeContext } from '../ui/theme';
import { createQueryClient } from './queryClient';
import { createAppRouter } from './router';
import { useThemeChoice } from './useThemeChoice';

export const TOASTER = 'main';

export function App() {
  const theme = useThemeChoice();
  const { queryClient, router } = useMemo(() => {
    const client = createQueryClient(() => {
      const { href, pathname } = appRouter.state.location;
      if (pathname !== '/login') void appRouter.navigate({ to: '/login', search: { next: href } });
    });
    const appRouter = createAppRouter(client);
    return { queryClient: client, router: appRouter };
  }, []);
  return (
    <ThemeContext.Provider value={theme}>
      {/* Nothing may be styled on the provider's own class: every tooltip, menu and dialog copies it. */}
      <FluentProvider theme={theme.isDark ? darkTheme : lightTheme} className="theme-root">
        <div className="app-root">
          <QueryClientProvider client={queryClient}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </div>
        <Toaster toasterId={TOASTER} position="bottom-end" />
      </FluentProvider>
    </ThemeContext.Provider>
  );
}
